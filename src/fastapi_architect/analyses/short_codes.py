"""Which codes are so short that somebody can try them all, and where does the program compare one with what it was sent?

A code that people type has to be short; what protects it is a limit on attempts, which `rate_limits` looks for.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from fastapi_architect.analyses.goes_into import Destination, destinations
from fastapi_architect.analyses.surroundings import parents_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.cryptography import RandomValue
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, Scope, all_functions, last_name
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

#: Eight digits: some hours at a hundred attempts a second.
MOST_TRIED = 10**8
_CODE = lazy_pattern(
    r"(^|_)(otp|passcode|pin|(reset|recover\w*|verif\w*|confirm\w*|activat\w*|log_?in|auth\w*|sms|e?mail|phone|mfa|2fa|totp|"
    r"two_?factor|one_?time|magic|password|access|security|invit\w*)(_\w+)?_?(code|pin|otp))(_hash)?$",
    re.IGNORECASE,
)
_ALPHABETS = {
    "digits": 10, "ascii_letters": 52, "ascii_lowercase": 26, "ascii_uppercase": 26, "hexdigits": 22, "octdigits": 8,
}  # fmt: skip
_MOST_PLACES = 64
_ONE_OF = frozenset({"choice", "choices", "sample"})
_BELOW = frozenset({"randbelow", "randrange", "randint"})


class ShortCode(msgspec.Struct, frozen=True, eq=False):
    """A code that is short enough to be tried out.

    Attributes:
        value: the call that makes it, or its first digit.
        possibilities: how many such codes there are.
        destination: the name by which it is known as a code that proves something.
    """

    value: RandomValue
    possibilities: int
    destination: Destination

    @property
    def name(self) -> str:
        """The variable, column, key or argument that holds it."""
        return self.destination.name


@question
def short_codes(graph: AppGraph) -> tuple[ShortCode, ...]:
    """Every short code that the source makes, one for each statement."""
    found: dict[int, ShortCode] = {}
    for value in graph.facts(RandomValue):
        function = value.function
        if function is None or function.module.kind != "source" or id(value.site.statement) in found:
            continue
        count = _possibilities(graph, value, function)
        if not 1 < count <= MOST_TRIED:
            continue
        named = (each for each in destinations(graph, value.node, function) if _CODE.search(each.name))
        destination = next(named, None)
        if destination is not None:
            found[id(value.site.statement)] = ShortCode(value, count, destination)
    return tuple(found.values())


@question
def code_checks(graph: AppGraph) -> dict[int, str]:
    """Functions that compare a short code with a value, by identity, each with the code's name."""
    names = {code.name for code in short_codes(graph)}
    names |= {each.name for code in short_codes(graph) for each in code.destination.before}
    names = {name for name in names if _CODE.search(name)}
    if not names:
        return {}
    return {
        id(function): compared
        for module in graph.program.mentioning(*sorted(names))
        if module.kind == "source"
        for function in all_functions(module)
        if (compared := _compared(function, names))
    }


def _compared(function: Function, names: set[str]) -> str:
    """A name of a code that the function compares with another value; "" when it compares none."""
    for site in function.facts.sites(ir.Compare):
        compare = site.node
        sides = (compare.left, *compare.comparators)
        if compare.ops not in (["=="], ["!="]) or any(side.__class__ is ir.Constant for side in sides):
            continue
        named = [last_name(side) for side in sides if side.__class__ in (ir.Attribute, ir.Name)]
        if any(name in names for name in named):
            return next(name for name in named if name in names)
    given = (each.arg for call in function.facts.calls_named("filter_by") for each in call.node.keywords)
    return next((str(name) for name in given if name in names), "")


def _possibilities(graph: AppGraph, value: RandomValue, scope: Scope) -> int:
    """How many values the statement can make; 0 when that is not known."""
    call, name = value.node, last_name(value.node.func)
    length = 1
    if name in _BELOW:
        base = _range_of(graph, call, name, scope)
    elif name in _ONE_OF:
        base = _size_of(graph, argument(call, 0, "population") or argument(call, 0, "seq"), scope)
        if name != "choice":
            length = _number(graph, argument(call, 1 if name == "sample" else None, "k"), scope) or 0
    else:
        return 0
    repeats = _repeats(graph, call, value)
    if not base or not length or not repeats or length * repeats > _MOST_PLACES:
        return 0
    return int(base ** (length * repeats))


def _range_of(graph: AppGraph, call: ir.Call, name: str, scope: Scope) -> int:
    given = [_number(graph, each, scope) for each in call.args]
    if not given or None in given or len(given) > 2:
        return 0
    low, high = (0, given[0]) if len(given) == 1 else given
    assert low is not None
    assert high is not None
    return max(high - low + (name == "randint"), 0)


def _size_of(graph: AppGraph, expr: ir.Expr | None, scope: Scope) -> int:
    """How many characters an alphabet has."""
    if expr is None:
        return 0
    if expr.__class__ is ir.BinOp and expr.op == "+":
        left, right = _size_of(graph, expr.left, scope), _size_of(graph, expr.right, scope)
        return left + right if left and right else 0
    if expr.__class__ is ir.Attribute or expr.__class__ is ir.Name:
        known = _ALPHABETS.get(last_name(expr))
        if known is not None:
            return known
        expanded, where = graph.program.inference.expand(expr, scope)
        if expanded is not expr and expanded.__class__ is not ir.Name:
            return _size_of(graph, expanded, where)
    value: Any = graph.program.constants.value(expr, scope)
    return len({str(each) for each in value}) if isinstance(value, str | list | tuple) else 0


def _repeats(graph: AppGraph, call: ir.Call, value: RandomValue) -> int:
    """How often the comprehension around the call makes it; 0 when that is not known."""
    function = value.function
    assert function is not None
    parents = parents_of(function, graph)
    node: Any = parents.get(id(call))
    times = 1
    while node is not None and node is not value.site.statement:
        if node.__class__ is ir.Comprehension:
            for each in node.generators:
                times *= _rounds(graph, each.iter, function)
        node = parents.get(id(node))
    return times


def _rounds(graph: AppGraph, iterated: ir.Expr, scope: Scope) -> int:
    if iterated.__class__ is not ir.Call or last_name(iterated.func) != "range" or len(iterated.args) != 1:
        return 0
    return _number(graph, iterated.args[0], scope) or 0


def _number(graph: AppGraph, expr: ir.Expr | None, scope: Scope) -> int | None:
    """A whole number that is written down; `10**6` is one."""
    if expr.__class__ is ir.BinOp and expr.op == "**":
        base, power = _number(graph, expr.left, scope), _number(graph, expr.right, scope)
        if base is None or power is None or not (0 <= base <= _MOST_PLACES and 0 <= power <= _MOST_PLACES):
            return None
        return int(base**power)
    value: Any = graph.program.constants.value(expr, scope) if expr is not None else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
