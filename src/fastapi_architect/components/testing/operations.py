"""Every operation of an application, and a valid request for it made from the contract."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount
from uuid_utils.compat import uuid7

from ..service import is_public

_PARAMETER = re.compile(r"\{([^}:]+)(?::[^}]+)?\}")
_MADE_BY_SERVERS = {"HEAD", "OPTIONS"}
_PAGES = ("openapi_url", "docs_url", "redoc_url", "swagger_ui_oauth2_redirect_url")
#: Keyword arguments of a client's `request`, such as `json` and `headers`.
RequestOptions = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """A method on a path, and what the router says about who may call it."""

    method: str
    #: The whole template, such as `/api/v1/notes/{note_id}`.
    path: str
    #: Marked `@public`.
    public: bool
    #: What the caller must have been granted: of every dependency that has `permissions`.
    permissions: frozenset[str]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters in the path."""
        return _PARAMETER.findall(self.path)

    def url(self, values: Mapping[str, object] | None = None) -> str:
        """Return the path with these values; what has none gets an identifier that nothing has."""
        chosen = values or {}
        return _PARAMETER.sub(lambda found: str(chosen.get(found[1], uuid7())), self.path)


def operations_of(app: FastAPI) -> list[Operation]:
    """Return every operation of the application, of its routers and of the applications that are mounted in it.

    The pages that show the contract are left out: whether they are served is a setting of the application.
    """
    return sorted(_walk(app, ""), key=lambda found: (found.path, found.method))


def example_request(app: FastAPI, operation: Operation) -> RequestOptions:
    """Return a request for the operation: its examples where the contract has some, or else the smallest that is valid."""
    contract = app.openapi()
    definition = (
        contract["paths"].get(_PARAMETER.sub(r"{\1}", operation.path), {}).get(operation.method.lower(), {})
    )
    options: RequestOptions = {"headers": {}, "params": {}}
    places = {"header": "headers", "query": "params"}
    for parameter in definition.get("parameters", ()):
        place = places.get(parameter["in"])
        has_example = "example" in parameter or "examples" in parameter
        if place and (parameter.get("required") or (has_example and place == "headers")):
            options[place][parameter["name"]] = _parameter_value(parameter, contract)
    content = definition.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        options["json"] = _media_value(content["application/json"], contract)
    elif "application/x-www-form-urlencoded" in content:
        options["data"] = _media_value(content["application/x-www-form-urlencoded"], contract)
    return options


def _walk(app: Any, prefix: str) -> Iterator[Operation]:
    pages = {getattr(app, name, None) for name in _PAGES}
    for context in iter_route_contexts(getattr(app, "routes", None) or ()):
        route, path = context.original_route, str(context.path)
        if isinstance(route, Mount):
            yield from _walk(route.app, prefix + path)
        elif path not in pages:
            permissions = frozenset(_permissions(getattr(context, "dependant", None)))
            for method in sorted(set(context.methods or ()) - _MADE_BY_SERVERS):
                yield Operation(method, prefix + path, is_public(context.endpoint), permissions)


def _permissions(dependant: Dependant | None) -> Iterator[str]:
    if dependant is not None:
        yield from getattr(dependant.call, "permissions", ())
        for inner in dependant.dependencies:
            yield from _permissions(inner)


def _parameter_value(parameter: Mapping[str, Any], contract: Mapping[str, Any]) -> str:
    if "example" in parameter:
        return str(parameter["example"])
    for example in parameter.get("examples", {}).values():
        return str(example["value"])
    return str(_value(parameter.get("schema", {}), contract))


def _media_value(media: Mapping[str, Any], contract: Mapping[str, Any]) -> Any:
    if "example" in media:
        return media["example"]
    for example in media.get("examples", {}).values():
        return example["value"]
    return _value(media.get("schema", {}), contract)


def _value(schema: Mapping[str, Any], contract: Mapping[str, Any]) -> Any:
    """Return the example of a schema, or the smallest value that fits it."""
    if "$ref" in schema:
        schema = contract["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("example", "const", "default"):
        if key in schema:
            return schema[key]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return _value(next((each for each in schema[key] if each.get("type") != "null"), {}), contract)
    return _value_of_type(schema, contract)


def _value_of_type(schema: Mapping[str, Any], contract: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: _value(properties.get(name, {}), contract) for name in schema.get("required", ())}
    if kind == "array":
        return [_value(schema.get("items", {}), contract)] * schema.get("minItems", 0)
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    if kind == "boolean":
        return False
    text = str(_FORMATS.get(schema.get("format", ""), "text"))
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 1_000)]


_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "email": "somebody@example.com",
    "uri": "https://example.com/",
    "uuid": "018f0000-0000-7000-8000-000000000000",
}
