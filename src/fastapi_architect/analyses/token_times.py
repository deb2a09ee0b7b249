"""From which clock, and for how long, does a token live? Read from the expression of its `exp` claim."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.concepts.identity import TokenEncode
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, Scope, dotted_name, last_name
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_UNITS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_MAX_CALLERS = 8


class TokenTime(msgspec.Struct, frozen=True, eq=False):
    """One expression that `exp` is made of, followed through names.

    Attributes:
        expr: the expression.
        scope: where it is to be read.
    """

    expr: ir.Expr
    scope: Scope


def times_of(encode: TokenEncode, graph: AppGraph) -> list[TokenTime]:
    """What the `exp` of a token is made of: the expression, and those behind its names and parameters."""
    function = encode.function
    if function is None:
        return []
    found: list[TokenTime] = []
    queue = [TokenTime(expr, function) for expr in _claims(function, "exp")]
    while queue and len(found) < 40:
        current = queue.pop(0)
        if any(current.expr is each.expr for each in found):
            continue
        found.append(current)
        for node in walk(current.expr):
            if isinstance(node, ir.Name):
                queue += _behind(node.id, current.scope, graph)
    return found


def _claims(function: Function, claim: str) -> Iterator[ir.Expr]:
    """Values that a function writes under the name of a claim."""
    for site in function.facts.sites(ir.Dict):
        for key, value in zip(site.node.keys, site.node.values, strict=True):
            if isinstance(key, ir.Constant) and key.value == claim:
                yield value
    for site in function.facts.sites(ir.Assign):
        for target in site.node.targets:
            if (
                isinstance(target, ir.Subscript)
                and isinstance(target.slice, ir.Constant)
                and target.slice.value == claim
            ):
                yield site.node.value
    for site in function.facts.calls_named("dict", "update"):
        yield from (k.value for k in site.node.keywords if k.arg == claim)


def _behind(name: str, scope: Scope, graph: AppGraph) -> Iterator[TokenTime]:
    """What a name was given: its assignments, or, for a parameter, its default and what callers pass."""
    for binding in scope.facts.bindings.get(name, ()):
        if binding.kind in ("assign", "annotated") and binding.value is not None and not binding.path:
            yield TokenTime(binding.value, scope)
        elif binding.kind == "parameter" and isinstance(scope, Function):
            names = [p.name for p in scope.parameters]
            position = names.index(name) - bool(scope.is_method) if name in names else -1
            for site in graph.program.calls.callers(scope)[:_MAX_CALLERS] if position >= 0 else ():
                given = argument(site.node, position, name)
                if given is not None and site.scope.module.kind != "test":
                    yield TokenTime(given, site.scope)


def local_clock(encode: TokenEncode, graph: AppGraph) -> TokenTime | None:
    """`datetime.now()` without a time zone, or `utcnow().timestamp()`: read as another time than was meant."""
    for time in times_of(encode, graph):
        if not isinstance(time.scope, Function):
            continue
        stamped = {
            id(node.func.value)
            for node in walk(time.expr)
            if isinstance(node, ir.Call)
            and isinstance(node.func, ir.Attribute)
            and node.func.attr == "timestamp"
        }
        within = {id(inner) for node in walk(time.expr) if id(node) in stamped for inner in walk(node)}
        for node in walk(time.expr):
            if not isinstance(node, ir.Call) or not dotted_name(node.func).endswith(
                ("datetime.now", "datetime.utcnow", "datetime.today")
            ):
                continue
            utc = last_name(node.func) == "utcnow"
            if not node.args and not node.keywords and (id(node) in within) is utc:
                return TokenTime(node, time.scope)
    return None


def longest_life(encode: TokenEncode, graph: AppGraph) -> tuple[float, TokenTime] | None:
    """Most seconds that a written `timedelta(...)` gives a token, and where; None when none is written.

    Of several in the function that makes it the shortest counts: the others are for those who ask for more.
    """
    own: list[tuple[float, TokenTime]] = []
    given: list[tuple[float, TokenTime]] = []
    for time in times_of(encode, graph):
        for node in walk(time.expr):
            if isinstance(node, ir.Call) and last_name(node.func) == "timedelta":
                seconds = _seconds(node, time.scope, graph)
                if seconds is not None:
                    (own if time.scope is encode.function else given).append(
                        (seconds, TokenTime(node, time.scope))
                    )
    shortest = min(own, key=lambda each: each[0], default=None)
    return max(
        [*given, *([shortest] if shortest is not None else [])], key=lambda each: each[0], default=None
    )


def _seconds(call: ir.Call, scope: Scope, graph: AppGraph) -> float | None:
    given = {k.arg: k.value for k in call.keywords}
    given |= dict(zip(("days", "seconds"), call.args, strict=False))
    total = 0.0
    for name, expr in given.items():
        value = _number(expr, scope, graph)
        if name not in _UNITS or value is None:
            return None
        total += _UNITS[name] * value
    return total


def _number(expr: ir.Expr, scope: Scope, graph: AppGraph) -> float | None:
    """A constant, or the default of a setting."""
    value = graph.program.constants.value(expr, scope)
    if isinstance(expr, ir.Attribute) and not isinstance(value, int | float):
        for of in options(graph.program.inference.type_of(expr.value, scope)):
            settings = (
                graph.settings.of_class(of.cls)
                if isinstance(of, Instance) and isinstance(of.cls, Class)
                else None
            )
            setting = settings.by_name.get(expr.attr) if settings is not None else None
            value = setting.value if setting is not None else value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
