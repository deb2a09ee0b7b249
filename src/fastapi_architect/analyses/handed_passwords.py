"""Does a password reach a function as the client sent it, or hashed? Arguments are followed to the callers."""

from __future__ import annotations

import re
from typing import Literal

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, Scope, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

Handed = Literal["sent", "hashed", "unknown"]

#: Functions whose result is no password that somebody typed.
_HASHES = lazy_pattern(r"hash|crypt|digest|derive|pbkdf|make_password|random|generate|token_", re.IGNORECASE)
#: Methods that give the same text again.
_SAME = frozenset({"get_secret_value", "strip", "encode", "decode"})

_MAX_DEPTH = 4
_MAX_CALLERS = 24


def handed(graph: AppGraph, function: Function, name: str, field: str = "", depth: int = 0) -> Handed:
    """What callers give for a parameter, or for one field of it.

    Args:
        name: the parameter.
        field: the attribute of it that is meant; "" for the parameter itself.

    Returns:
        "sent" when one way leads from a request to it unchanged, "hashed" when every caller hashes or makes it up,
        and "unknown" where one cannot be followed.
    """
    if field and _is_set(function, f"{name}.{field}"):
        return "hashed"
    if id(function) in _entries(graph):
        return "sent"
    sites = [s for s in graph.program.calls.callers(function) if s.scope.module.kind != "test"]
    if not sites or len(sites) > _MAX_CALLERS or depth >= _MAX_DEPTH:
        return "unknown"
    given = {_given(graph, site, function, name, field, depth) for site in sites}
    return "sent" if "sent" in given else "unknown" if "unknown" in given else "hashed"


@question
def _entries(graph: AppGraph) -> frozenset[int]:
    """Functions that FastAPI calls with what a request holds."""
    return frozenset(id(function) for operation in graph.operations for function in operation.functions)


def _given(graph: AppGraph, site: Site, function: Function, name: str, field: str, depth: int) -> Handed:
    names = [p.name for p in function.parameters]
    position = names.index(name) - (1 if function.is_method else 0) if name in names else None
    value = argument(site.node, position, name)
    if value is None:
        return "unknown"
    return _origin(graph, value, site.scope, field, depth)


def _origin(graph: AppGraph, value: ir.Expr, scope: Scope, field: str, depth: int) -> Handed:
    """What an argument is in the caller: its own parameter, a field of one, or something that was made."""
    value = unwrapped(value)
    if not isinstance(scope, Function):
        return "unknown"
    wanted = dotted_name(value) + (f".{field}" if field else "")
    root, _, rest = wanted.partition(".")
    if value.__class__ is ir.Call:
        return _of_made(graph, value, scope, field, depth)
    if value.__class__ not in (ir.Name, ir.Attribute) or not root:
        return "unknown"
    if _is_set(scope, wanted):
        return "hashed"
    bindings = scope.facts.bindings.get(root, ())
    if scope.parameter(root) is not None and len(bindings) == 1:
        return (
            handed(graph, scope, root, rest, depth + 1) if "." not in rest and root != "self" else "unknown"
        )
    made = bindings[-1].value if bindings and bindings[-1].kind == "assign" else None
    if value.__class__ is ir.Name and made.__class__ is ir.Call:
        return _of_made(graph, made, scope, field, depth)
    return "unknown"


def _of_made(graph: AppGraph, call: ir.Call, scope: Function, field: str, depth: int) -> Handed:
    """The result of a call; for a field of an object, what its constructor gets by that name."""
    if not field:
        return "hashed" if _HASHES.search(last_name(call.func)) else "unknown"
    given = argument(call, None, field)
    return _origin(graph, given, scope, "", depth + 1) if given is not None else "unknown"


def _is_set(function: Function, target: str) -> bool:
    """The function puts a hash there: `new.password = hash_password(new.password)`."""
    return any(
        site.node.value.__class__ is ir.Call
        and _HASHES.search(last_name(site.node.value.func))
        and any(dotted_name(each) == target for each in site.node.targets)
        for site in function.facts.sites(ir.Assign)
    )


def unwrapped(expr: ir.Expr) -> ir.Expr:
    """`password.get_secret_value().strip()` is the password."""
    while expr.__class__ is ir.Call and expr.func.__class__ is ir.Attribute and expr.func.attr in _SAME:
        expr = expr.func.value
    return expr
