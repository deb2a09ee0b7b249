"""Which functions does Starlette call when an endpoint is a class (`HTTPEndpoint`, `WebSocketEndpoint`)?"""

from __future__ import annotations

from fastapi_architect.program.definitions import Class, Function, Scope
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.syntax import ir

_HTTP = "starlette.endpoints.HTTPEndpoint"
_SOCKET = "starlette.endpoints.WebSocketEndpoint"
_HTTP_METHODS = ("get", "head", "post", "put", "patch", "delete", "options")


def endpoint_methods(program: Program, expr: ir.Expr | None, scope: Scope) -> dict[str, Function]:
    """Name of the called method to the method: those named after HTTP methods, or `on_receive` (else `on_connect`).

    Nothing when `expr` is no such class.
    """
    if expr is None:
        return {}
    for of in options(program.inference.type_of(expr, scope)):
        if isinstance(of, ClassRef) and isinstance(of.cls, Class):
            hierarchy = program.inference.hierarchy
            if hierarchy.is_subclass(of.cls, _HTTP):
                return _own(program, of.cls, _HTTP_METHODS)
            if hierarchy.is_subclass(of.cls, _SOCKET):
                found = _own(program, of.cls, ("on_receive", "on_connect"))
                return dict([*found.items()][:1])
    return {}


def _own(program: Program, cls: Class, names: tuple[str, ...]) -> dict[str, Function]:
    found = {}
    for name in names:
        member = program.inference.hierarchy.member(cls, name)
        if member is not None and member.function is not None:
            found[name] = member.function
    return found
