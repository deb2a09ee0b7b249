"""Routes of a router are never served, because no application includes it, or includes it too early.

A router is only a list until an application includes it. A module whose router nobody includes looks like a
part of the API and answers 404. Up to FastAPI 0.136, `include_router` copies the routes that are there at
that moment: what is decorated or included behind it is missing.

Known limits: where anything is included by code that cannot be followed, or modules are imported by name at
run time, nothing is reported; a package without an application of its own is taken for a library.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import Version

from fastapi_architect.appgraph.path_operations import Inclusion
from fastapi_architect.appgraph.router_objects import RouterObject
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Files,
    Finding,
    Function,
    Module,
    PathOperation,
    Proof,
    Rule,
    Severity,
    ir,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Routes that no application serves",
    severity=Severity.IMPORTANT,
    cwe=561,
    references=(
        "https://fastapi.tiangolo.com/tutorial/bigger-applications/#include-the-apirouters-for-users-and-items",
        "https://fastapi.tiangolo.com/release-notes/#01370",
    ),
)

#: From this version on, a router's later routes are served too.
_FOLLOWS_LATER_ROUTES = Version("0.137")
_METHODS = frozenset(
    {"get", "post", "put", "delete", "patch", "options", "head", "trace", "api_route", "websocket"}
)
_DYNAMIC = ("import_module", "iter_modules", "walk_packages", "__import__", "entry_points", "load_module")


@rule.check(per=AppGraph)
def router_that_nothing_includes(graph: AppGraph, _graph: AppGraph) -> Iterator[Finding]:
    roots = {
        a.scope.module.root for a in graph.applications if a.operations and a.scope.module.kind == "source"
    }
    if not roots or graph.unresolved or _loads_modules_by_name(graph):
        return
    for router in graph.routers:
        module = router.scope.module
        if (
            module.kind != "source"
            or module.root not in roots
            or graph.is_included(router)
            or not router.name
        ):
            continue
        handlers = _decorated_by(router)
        if handlers and not _is_used_elsewhere(router, graph):
            yield _never_included(router, handlers, graph)


def _loads_modules_by_name(graph: AppGraph) -> bool:
    """Modules are found at run time: what is included cannot be seen."""
    sites = (site for name in _DYNAMIC for site in graph.program.call_sites_named(name))
    return any(site.scope.module.kind == "source" for site in sites)


def _decorated_by(router: RouterObject) -> list[Function]:
    """Functions that the router's decorators register, in the module that makes it."""
    found = []
    for function in router.scope.functions:
        for decorator in function.node.decorators:
            func = decorator.func if decorator.__class__ is ir.Call else decorator
            if func.__class__ is not ir.Attribute or func.attr not in _METHODS:
                continue
            if func.value.__class__ is ir.Name and func.value.id == router.name:
                found.append(function)
    return found


def _is_used_elsewhere(router: RouterObject, graph: AppGraph) -> bool:
    """The router is handed on: imported by another module, put into a list, passed, or read as an attribute."""
    module = router.scope.module
    if router.scope is not module or any(True for _ in _own_uses(router)):
        return True
    others = (m for m in graph.program.mentioning(router.name, "*") if m.kind != "test" and m is not module)
    return any(_imports(other, router, graph) for other in others)


def _imports(other: Module, router: RouterObject, graph: AppGraph) -> bool:
    """Another module imports the router, or its module together with a mention of the router's name."""
    module = router.scope.module
    for name, bindings in other.facts.bindings.items():
        for binding in bindings:
            if binding.kind not in ("from", "import"):
                continue
            target = graph.program.module_of(other, binding.target)
            through = graph.program.submodule(target, binding.attribute) if target is not None else None
            if target is module and binding.attribute in (router.name, "*"):
                return True
            if module in (target, through) and other.mentions(router.name) and name != router.name:
                return True
    return False


def _own_uses(router: RouterObject) -> Iterator[ir.Node]:
    """Places in its own module where the router is a value: an argument, an element, an assignment."""
    for site in router.scope.facts.calls:
        given = (*site.node.args, *(k.value for k in site.node.keywords))
        yield from (a for a in given if a.__class__ is ir.Name and a.id == router.name)
    for kind in (ir.Sequence, ir.Dict, ir.Assign):
        for site in router.scope.facts.sites(kind):
            node = site.node
            values = node.elts if kind is ir.Sequence else node.values if kind is ir.Dict else [node.value]
            yield from (v for v in values if v.__class__ is ir.Name and v.id == router.name)


def _never_included(router: RouterObject, handlers: list[Function], graph: AppGraph) -> Finding:
    module = router.scope.module
    names = ", ".join(f"`{f.name}`" for f in handlers[:3]) + (" and more" if len(handlers) > 3 else "")
    application = next((a for a in graph.applications if not a.mounted), None)
    return rule.at(
        router.location,
        f"No application includes `{router.name}` of {module.path}: {names} never "
        f"answer{'s' * (len(handlers) == 1)}.",
        f"Include it, or delete the module:\n```python\nfrom {module.name} import {router.name}\n\n"
        f"{application.name if application is not None else 'app'}.include_router({router.name})\n```",
        reasoning=f"Nothing but its own decorators mentions `{router.name}`, every `include_router` of "
        "this project was "
        "followed, and none leads here.",
        exploit=f"`{module.path}` is written and imports cleanly, and the paths of {names} answer 404.",
        confidence=Confidence.FIRM,
        trace=steps(*((f, f"{f.name} is registered on {router.name}") for f in handlers[:5])),
        symbol=module.full_name,
    )


@rule.check(per=Application)
def added_after_the_router_was_included(application: Application, graph: AppGraph) -> Iterator[Finding]:
    late = [(o, early) for o in application.operations if (early := _included_before(o)) is not None]
    if not late:
        return
    installed = graph.deployment.version_of("fastapi")
    if installed is None or installed.version >= _FOLLOWS_LATER_ROUTES or not installed.is_exact:
        return
    for operation, early in late:
        place = operation.handler or operation.location
        yield rule.at(
            place,
            f"`{operation}` is added to its router after the router was included: with FastAPI "
            f"{installed.version} it "
            "answers 404.",
            "Move the `include_router` call behind the last route.",
            reasoning="Before 0.137, include_router copies the routes that the router has at that moment.",
            exploit=f"A client sends `{operation}` and is answered 404.",
            confidence=Confidence.CERTAIN,
            trace=steps((early, "the router is included here")),
            routes=routes_of([operation]),
        )


def _included_before(operation: PathOperation) -> Inclusion | None:
    """The inclusion that runs before something is added to its router; both stand in one body."""
    behind = [*((i.call, i.scope) for i in operation.inclusions[1:]), operation.registration]
    for inclusion, (call, scope) in zip(operation.inclusions, behind, strict=False):
        if inclusion.scope is scope and inclusion.call.span < call.span:
            return inclusion
    return None


rule.bad = Files(
    {
        "main.py": """
        from fastapi import FastAPI

        from books import router as books

        app = FastAPI()
        app.include_router(books)
    """,
        "books.py": """
        from fastapi import APIRouter

        router = APIRouter(prefix="/books")


        @router.get("")
        def list_books() -> list[str]:
            return ["Dune"]
    """,
        "authors.py": """
        from fastapi import APIRouter

        router = APIRouter(prefix="/authors")  # finding: route-added-after-include-or-router-never-included


        @router.get("")
        def list_authors() -> list[str]:
            return ["Frank Herbert"]
    """,
    }
)

rule.good = Files(
    {
        "main.py": """
        from fastapi import FastAPI

        from authors import router as authors
        from books import router as books

        app = FastAPI()
        app.include_router(books)
        app.include_router(authors)
    """,
        "books.py": """
        from fastapi import APIRouter

        router = APIRouter(prefix="/books")


        @router.get("")
        def list_books() -> list[str]:
            return ["Dune"]
    """,
        "authors.py": """
        from fastapi import APIRouter

        router = APIRouter(prefix="/authors")


        @router.get("")
        def list_authors() -> list[str]:
            return ["Frank Herbert"]
    """,
    }
)


@rule.symptom
def the_authors_are_not_found(proof: Proof) -> None:
    """The module is written and imports cleanly, and its address answers 404."""
    assert proof.client.get("/books").status_code == 200
    assert proof.module("authors").list_authors() == ["Frank Herbert"]
    assert proof.client.get("/authors").status_code == 404
