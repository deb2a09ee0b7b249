"""Which functions does a server, or the middleware before them, call with every request?

ASGI applications and middleware as they are written without a framework (`async def __call__(self, scope, receive, send)`),
and those that Starlette calls with a request and with what comes next (`dispatch(self, request, call_next)`). They are
known by their shape: whoever puts them around an application may be out of sight.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.program.definitions import Function, all_functions, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.syntax import ir

_ASGI = ("scope", "receive", "send")
_NEXT = "call_next"
_REQUESTS = frozenset({"request", "req"})
_REVIEWED = frozenset({"source", "generated"})


def asgi_callables(program: Program) -> Iterator[tuple[Function, ir.Param]]:
    """Functions with the shape of an ASGI application, each with the parameter that receives the scope."""
    for function, params in _functions(program, "receive"):
        if tuple(p.name.strip("_") for p in params) == _ASGI:
            yield function, params[0]


def dispatching_functions(program: Program) -> Iterator[tuple[Function, ir.Param]]:
    """Functions that get a request and what comes next, each with the parameter that receives the request."""
    for function, params in _functions(program, _NEXT):
        if len(params) == 2 and params[1].name.strip("_") == _NEXT and _is_request(params[0]):
            yield function, params[0]


def _is_request(param: ir.Param) -> bool:
    """Middleware of other protocols gets what comes next, too: a message, a call of a tool."""
    declared = last_name(param.annotation) if param.annotation is not None else ""
    return declared.endswith("Request") or (not declared and param.name.strip("_") in _REQUESTS)


def _functions(program: Program, mentioned: str) -> Iterator[tuple[Function, tuple[ir.Param, ...]]]:
    for module in program.mentioning(mentioned, f"_{mentioned}"):
        if module.kind in _REVIEWED:
            for function in all_functions(module):
                yield function, function.parameters[1 if function.is_method else 0 :]
