"""Asks the imported application for its operations: the truth that the static answer is compared with.

    VENV/bin/python ecosystem/oracle.py MODULE:EXPRESSION --directory DIR --root TREE [--set KEY=VALUE ...]

Run by the interpreter of a virtual environment that has the project's dependencies; it needs nothing else
(used with Python 3.10 to 3.13 and FastAPI 0.89 to 0.141, before and after included routers were kept as a
tree). MODULE is imported with DIR first on ``sys.path`` and as working directory, and EXPRESSION is evaluated
in its namespace: an application (``app``), a factory call (``create_app()``), or a router, which is then
included in an empty application.

Prints one JSON document. Parameters are those that a client sends: named by alias, those of all dependencies
included, a Pydantic model in the query, headers, cookies or a form taken apart into its fields. Dependencies
are all callables of the tree, written module.qualname; an instance is written as its class.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import inspect
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SEPARATE_FORM_FIELDS = (0, 113)
SEPARATE_QUERY_FIELDS = (0, 115)


def fastapi_version() -> tuple[int, ...]:
    import fastapi

    return tuple(int(part) for part in fastapi.__version__.split(".")[:2])


def unwrap(call: Any) -> Any:
    """The callable behind partials and decorators that keep ``__wrapped__``."""
    while isinstance(call, functools.partial):
        call = call.func
    return inspect.unwrap(call) if callable(call) else call


def dotted_name(call: Any) -> str:
    """module.qualname of a function or class; of the class for an instance or a bound ``__call__``."""
    while isinstance(call, functools.partial):
        call = call.func
    if not hasattr(call, "__qualname__"):
        call = type(call)
    return f"{call.__module__}.{call.__qualname__}"


def place(call: Any, root: Path) -> tuple[str | None, int | None]:
    """File in the tree and line of the definition (of its first decorator); None outside the tree."""
    function = unwrap(call)
    if not inspect.isfunction(function) and not inspect.ismethod(function):
        function = type(function).__call__
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return None, None
    try:
        return Path(code.co_filename).resolve().relative_to(root).as_posix(), code.co_firstlineno
    except ValueError:
        return None, None


def model_of(field: Any) -> Any:
    """The Pydantic model a parameter is declared with, or None."""
    import pydantic

    annotation = getattr(field.field_info, "annotation", None) or getattr(field, "type_", None)
    is_model = inspect.isclass(annotation) and issubclass(annotation, pydantic.BaseModel)
    return annotation if is_model else None


def model_parameters(model: Any, kind: str) -> Iterator[tuple[str, bool]]:
    """Name as sent and whether required, for each field of a model that is taken apart."""
    fields = getattr(model, "model_fields", None) or model.__fields__
    for name, info in fields.items():
        alias = getattr(info, "validation_alias", None)
        sent = alias if isinstance(alias, str) else getattr(info, "alias", None) or name
        if kind == "header" and sent == name:
            sent = name.replace("_", "-")
        required = info.is_required() if hasattr(info, "is_required") else bool(info.required)
        yield sent, bool(required)


def body_kind(field: Any) -> str:
    from fastapi import params

    if isinstance(field.field_info, params.File):
        return "file"
    return "form" if isinstance(field.field_info, params.Form) else "body"


def sent_name(field: Any) -> str:
    alias = getattr(field, "validation_alias", None)
    return alias if isinstance(alias, str) else field.alias


def is_required(field: Any) -> bool:
    """Whether a request without the parameter is refused."""
    if hasattr(field, "required"):  # Pydantic v1, and FastAPI's own field until it dropped the attribute
        return bool(field.required)
    return bool(field.field_info.is_required())


def own_parameters(dependant: Any) -> Iterator[tuple[str, str, bool]]:
    """(name, kind, required) of one node of the dependency tree."""
    version = fastapi_version()
    for kind in ("path", "query", "header", "cookie"):
        fields = getattr(dependant, f"{kind}_params")
        model = model_of(fields[0]) if len(fields) == 1 and version >= SEPARATE_QUERY_FIELDS else None
        if model is not None and kind != "path":
            yield from ((name, kind, required) for name, required in model_parameters(model, kind))
            continue
        for field in fields:
            yield sent_name(field), kind, is_required(field)
    for field in dependant.body_params:
        kind = body_kind(field)
        model = model_of(field) if kind == "form" and version >= SEPARATE_FORM_FIELDS else None
        if model is not None and len(dependant.body_params) == 1:
            yield from ((name, kind, required) for name, required in model_parameters(model, kind))
        else:
            yield sent_name(field), kind, is_required(field)


def tree(dependant: Any) -> Iterator[Any]:
    """The nodes below the endpoint, depth first."""
    for child in dependant.dependencies:
        yield child
        yield from tree(child)


def operation_facts(route: Any, prefix: str, root: Path) -> list[dict[str, Any]]:
    """One entry for each method of an API route."""
    from fastapi.security.base import SecurityBase

    nodes = list(tree(route.dependant))
    parameters: dict[tuple[str, str], bool] = {}
    for node in [route.dependant, *nodes]:
        for name, kind, required in own_parameters(node):
            parameters[name, kind] = parameters.get((name, kind), False) or required
    schemes = {type(unwrap(n.call)).__name__ for n in nodes if isinstance(unwrap(n.call), SecurityBase)}
    scopes: set[str] = set()
    for node in nodes:
        scopes.update(getattr(node, "own_oauth_scopes", None) or getattr(node, "security_scopes", None) or [])
    file, line = place(route.endpoint, root)
    entry = {
        "path": prefix + route.path,
        "handler": dotted_name(route.endpoint),
        "file": file,
        "line": line,
        "parameters": [
            {"name": name, "kind": kind, "required": required}
            for (name, kind), required in sorted(parameters.items(), key=lambda item: item[0][::-1])
        ],
        "dependencies": sorted({dotted_name(node.call) for node in nodes}),
        "security_schemes": sorted(schemes),
        "scopes": sorted(scopes),
        "in_schema": bool(route.include_in_schema),
    }
    return [{"method": method, **entry} for method in sorted(route.methods)]


def flat_routes(routes: Any) -> Iterator[Any]:
    """Routes with their full paths, whether included routers were copied (old) or kept as a tree (new)."""
    for route in routes:
        contexts = getattr(route, "effective_route_contexts", None)
        if contexts is None:
            yield route
            continue
        for context in contexts():
            yield context if context.starlette_route is None else context.starlette_route


def is_api_route(route: Any) -> bool:
    """An ``APIRoute``, or the effective context of one (which has the same attributes)."""
    return getattr(route, "dependant", None) is not None and bool(getattr(route, "methods", None))


class Walk:
    """Collects the routes of an application and of the applications mounted in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.operations: list[dict[str, Any]] = []
        self.plain: list[dict[str, Any]] = []
        self.websockets: list[dict[str, Any]] = []
        self.mounts: list[dict[str, Any]] = []

    def application(self, app: Any, prefix: str = "") -> None:
        """Adds all routes of an application or router mounted at prefix."""
        for route in flat_routes(app.routes):
            kind = type(route).__name__
            if is_api_route(route):
                self.operations.extend(operation_facts(route, prefix, self.root))
            elif "WebSocket" in kind:
                entry = {"path": prefix + route.path, "handler": dotted_name(route.endpoint)}
                self.websockets.append(entry)
            elif hasattr(route, "endpoint"):
                self.plain_route(route, prefix)
            else:
                self.mount(route, prefix)

    def plain_route(self, route: Any, prefix: str) -> None:
        """A Starlette route, unless it is one of FastAPI's own documentation pages."""
        handler = dotted_name(route.endpoint)
        if handler.startswith("fastapi."):
            return
        for method in sorted(set(route.methods or ()) - {"HEAD"}):
            self.plain.append({"method": method, "path": prefix + route.path, "handler": handler})

    def mount(self, route: Any, prefix: str) -> None:
        """A mounted application: entered when it has routes of its own."""
        path = prefix + getattr(route, "path", "")
        inner = getattr(route, "app", None)
        self.mounts.append({"path": path, "application": dotted_name(inner)})
        if getattr(inner, "routes", None):
            self.application(inner, path)


def load(target: str, directory: Path) -> Any:
    """The application that a ``MODULE:EXPRESSION`` names."""
    from fastapi import APIRouter, FastAPI

    os.chdir(directory)
    sys.path.insert(0, str(directory))
    module_name, _, expression = target.partition(":")
    module = importlib.import_module(module_name)
    app = eval(expression or "app", dict(vars(module)))
    if isinstance(app, APIRouter):
        outer = FastAPI()
        outer.include_router(app)
        return outer
    return app


def versions() -> dict[str, str]:
    import fastapi
    import pydantic
    import starlette

    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "fastapi": fastapi.__version__,
        "starlette": starlette.__version__,
        "pydantic": str(getattr(pydantic, "VERSION", "")),
    }


def truth(target: str, directory: Path, root: Path) -> dict[str, Any]:
    """All facts of one application, sorted, without anything that depends on the machine."""
    walk = Walk(root.resolve())
    walk.application(load(target, directory.resolve()))
    by_place = lambda entry: (entry["path"], entry.get("method", ""), entry.get("handler", ""))  # noqa: E731
    return {
        "application": target,
        "versions": versions(),
        "operations": sorted(walk.operations, key=by_place),
        "plain_routes": sorted(walk.plain, key=by_place),
        "websockets": sorted(walk.websockets, key=by_place),
        "mounts": sorted(walk.mounts, key=by_place),
    }


def main(arguments: list[str] | None = None) -> int:
    """Prints the JSON document on the real standard output; what the application prints goes to stderr."""
    parser = argparse.ArgumentParser(description="Print the operations of an imported FastAPI application.")
    parser.add_argument("application", metavar="MODULE:EXPRESSION")
    parser.add_argument("--directory", type=Path, default=Path(), help="import from here, run here")
    parser.add_argument("--root", type=Path, default=Path(), help="files are named relative to this folder")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="environment variable"
    )
    options = parser.parse_args(arguments)
    for assignment in options.set:
        key, _, value = assignment.partition("=")
        os.environ[key] = value
    sys.dont_write_bytecode = True
    out, sys.stdout = sys.stdout, sys.stderr
    document = truth(options.application, options.directory, options.root)
    json.dump(document, out, indent=1, sort_keys=True, ensure_ascii=False)
    out.write("\n")
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
