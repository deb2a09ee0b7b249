"""Who may open a WebSocket: what its handler does about the caller before it serves, and what carries the identity."""

from __future__ import annotations

import re

from fastapi_architect.analyses.public_operations import callers_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.concepts.http import WebSocketClose
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

_CREDENTIAL = lazy_pattern(
    r"token|ticket|auth|jwt|api_?key|credential|session|secret|signature|password", re.IGNORECASE
)
_CHECKER = lazy_pattern(
    r"(auth|verify|validate|check|require|ensure|decode|get_current|current|identify)\w*"
    r"(user|token|ticket|auth|session|key|credential|permission|access|client|connection|websocket|socket|ws)|"
    r"^(authenticate|authorize|login)",
    re.IGNORECASE,
)
_IDENTITY = lazy_pattern(
    r"(user|client|account|customer|tenant|member|session|player|device|room|chat)", re.IGNORECASE
)


def asks_for_caller(operation: PathOperation, graph: AppGraph) -> str:
    """How the handler of a WebSocket asks who is there, in words; "" when it does not.

    A guard before the handler is not looked at here (see `AppGraph.access`).
    """
    handler = operation.handler
    if handler is None:
        return "the handler is not known"
    proof = callers_of(graph).proof_in_body(operation)
    if proof:
        return f"{handler.name} reaches a {proof}"
    for site in handler.facts.calls:
        name = last_name(site.node.func)
        if _CHECKER.search(name):
            return f"{handler.name} calls {name}"
        keys = [a.value for a in site.node.args if a.__class__ is ir.Constant and isinstance(a.value, str)]
        if name == "get" and any(_CREDENTIAL.search(k) for k in keys) and _may_close(handler, graph):
            return f"{handler.name} reads {keys[0]} and closes"
    for site in handler.facts.sites(ir.Subscript):
        key = site.node.slice
        if key.__class__ is ir.Constant and _CREDENTIAL.search(str(key.value)) and _may_close(handler, graph):
            return f"{handler.name} reads {key.value} and closes"
    if _refuses_by_condition(handler, graph):
        return f"{handler.name} closes with a refusal"
    return ""


def _may_close(handler: Function, graph: AppGraph) -> bool:
    return any(
        site.context.inside("if", "else", "handler")
        for c in graph.within(WebSocketClose, handler)
        if (site := c.site)
    ) or any(site.context.inside("if", "handler") for site in handler.facts.sites(ir.Raise))


def _refuses_by_condition(handler: Function, graph: AppGraph) -> bool:
    """`if not known: await websocket.close(code=1008)` outside of the loop that serves."""
    for closing in graph.within(WebSocketClose, handler):
        context = closing.site.context
        if (
            context.inside("if") is None
            or context.inside("loop") is not None
            or context.inside("handler") is not None
        ):
            continue
        code = closing.code
        value = graph.program.constants.value(code, handler) if code is not None else None
        if value == 1008 or (isinstance(value, int) and 4001 <= value <= 4403):
            return True
        if code is not None and last_name(code) == "WS_1008_POLICY_VIOLATION":
            return True
    return False


def identity_in_path(operation: PathOperation) -> str:
    """The path parameter that names a person, client or room; "" when there is none."""
    return next((name for name in operation.path_names if _IDENTITY.search(name)), "")


def reads_cookie(operation: PathOperation, graph: AppGraph) -> str:
    """The cookie or session that a WebSocket is authenticated by; "" when it is by something else."""
    for parameter in operation.all_parameters():
        if parameter.kind == "cookie" and not re.search("theme|locale|lang", parameter.alias, re.IGNORECASE):
            return f"the cookie {parameter.alias}"
    for dependency in operation.all_dependencies():
        if (dependency.instance_of or dependency.name).endswith("APIKeyCookie"):
            return "a cookie"
    for function in operation.functions:
        for site in function.facts.sites(ir.Attribute):
            if site.node.attr in ("cookies", "session") and _is_socket(site.node.value, function, graph):
                return "a cookie" if site.node.attr == "cookies" else "the session cookie"
    return ""


def _is_socket(expr: ir.Expr, function: Function, graph: AppGraph) -> bool:
    name = getattr(graph.program.inference.type_of(expr, function), "name", "")
    socket = name.rpartition(".")[2] in ("WebSocket", "HTTPConnection")
    return socket or last_name(expr) in ("websocket", "ws", "socket", "conn", "connection")


def compares_origin(operation: PathOperation, graph: AppGraph) -> bool:
    """The Origin header is read on the way: in the handler, a dependency, what they call, or ASGI middleware."""
    seen: set[int] = set()
    frontier: list[tuple[Function, int]] = [(f, 0) for f in operation.functions]
    for middleware in graph.application_of(operation).middleware:
        if middleware.cls is not None and not any(b.endswith("BaseHTTPMiddleware") for b in middleware.bases):
            frontier += [(f, 0) for f in middleware.cls.functions]
    while frontier:
        function, depth = frontier.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        if _reads_origin(function):
            return True
        if depth < 3:
            frontier += [
                (t, depth + 1) for site in function.facts.calls for t in graph.program.calls.targets(site)
            ]
    return any(p.kind == "header" and p.alias.lower() == "origin" for p in operation.all_parameters())


def _reads_origin(function: Function) -> bool:
    for site in function.facts.calls:
        for value in site.node.args:
            if value.__class__ is ir.Constant and str(value.value).lower() in ("origin", "b'origin'"):
                return True
    for site in (*function.facts.sites(ir.Subscript), *function.facts.sites(ir.Compare)):
        inner = [
            getattr(site.node, "slice", None),
            getattr(site.node, "left", None),
            *getattr(site.node, "comparators", ()),
        ]
        if any(i.__class__ is ir.Constant and str(i.value).lower() == "origin" for i in inner):
            return True
    return False
