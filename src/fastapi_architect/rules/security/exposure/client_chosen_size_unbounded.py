"""A client says how much the service reads or makes at once, and nothing says how much is too much.

`read(size)` with a size from the query string puts a whole file into memory (a negative one does so, too), `secrets.token_hex(length)`
and `"x" * width` make what was asked for, and `range(copies)` goes round as often. One request with a large number takes the memory
or the time of all others.

Known limits: whole numbers of an operation's parameters and models that have no `le`, followed by name through calls of the program.
A comparison, a `min(...)` with a constant or another value for the name ends the way, whatever it does. Limits of queries
are left to `list-endpoint-without-pagination`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.parameter_bounds import unbounded_integers
from fastapi_architect.appgraph.question import question
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    Site,
    dotted_name,
    ir,
    last_name,
    lazy_pattern,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A client chooses a size that nothing limits",
    severity=Severity.IMPORTANT,
    cwe=770,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    references=(
        "https://owasp.org/API-Security/editions/2023/en/0xa4-unrestricted-resource-consumption/",
        "https://fastapi.tiangolo.com/tutorial/query-params-str-validations/",
    ),
)

#: Calls that read or make as much as their first argument says, or one of the keywords.
_SIZED = frozenset({
    "read", "read1", "readexactly", "iter_content", "iter_bytes", "iter_chunked", "iter_raw", "urandom", "token_bytes", "token_hex",
    "token_urlsafe", "randbytes", "bytearray", "bytes", "zeros", "ones", "empty", "range",
})  # fmt: skip
_SIZES = frozenset({"size", "n", "nbytes", "chunk_size", "shape", "length"})
_ORDER = frozenset({"<", "<=", ">", ">="})
_DEPTH = 3
_MOST_CALLERS = 24
_IDENTIFIER = lazy_pattern(r"(^|_|\.)id$")


class Sized(msgspec.Struct, frozen=True, eq=False):
    """A place that uses a client's number as a size: the call, the number as sent, and the calls on the way."""

    site: Site
    sent: str
    hops: tuple[Site, ...]


@rule.check(per=AppGraph)
def size_from_a_client(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    told: set[int] = set()
    for operation in graph.operations:
        handler = operation.handler
        if handler is None or operation.kind != "http" or handler.module.kind != "source":
            continue
        if id(handler) not in _leading(graph) and not handler.facts.sites(ir.BinOp):
            continue
        for sent in unbounded_integers(operation, graph):
            if _IDENTIFIER.search(sent):
                continue
            found = next(_followed(graph, handler, sent, sent, (), 0), None)
            if found is not None and id(found.site.node) not in told:
                told.add(id(found.site.node))
                yield _finding(graph, operation, handler, found)


@question
def _leading(graph: AppGraph) -> frozenset[int]:
    """Functions from which a few calls lead to a size that is no constant, by identity."""
    sites = [site for name in sorted(_SIZED) for site in graph.program.call_sites_named(name)]
    frontier = [
        site.scope
        for site in sites
        if isinstance(site.scope, Function)
        and site.scope.module.kind == "source"
        and any(each.__class__ is not ir.Constant for each in _sizes(site.node))
    ]
    found: set[int] = set()
    for _ in range(_DEPTH + 2):
        following: list[Function] = []
        for function in frontier:
            if id(function) in found:
                continue
            found.add(id(function))
            callers = [site.scope for site in graph.program.calls.callers(function)[:_MOST_CALLERS]]
            following += [each for each in (*callers, function.parent) if isinstance(each, Function)]
        frontier = following
    return frozenset(found)


def _followed(
    graph: AppGraph, function: Function, name: str, sent: str, hops: tuple[Site, ...], depth: int
) -> Iterator[Sized]:
    """Places in a function, and in those that it calls or holds, where the value of a name is a size."""
    if _is_limited(function, name):
        return
    for site in function.facts.calls:
        if last_name(site.node.func) in _SIZED and any(_is_size(each, name) for each in _sizes(site.node)):
            yield Sized(site, sent, hops)
    for site in function.facts.sites(ir.BinOp):
        if site.node.op == "*" and _repeats(site.node, name):
            yield Sized(site, sent, hops)
    for inner in function.functions:
        if inner.parameter(name.partition(".")[0]) is None:
            yield from _followed(graph, inner, name, sent, hops, depth)
    for site in function.facts.calls if depth < _DEPTH else ():
        for target, received in _received(graph, site, name):
            yield from _followed(graph, target, received, sent, (*hops, site), depth + 1)


def _sizes(call: ir.Call) -> Iterator[ir.Expr]:
    yield from call.args[:2] if last_name(call.func) == "range" else call.args[:1]
    yield from (each.value for each in call.keywords if each.arg in _SIZES)


def _is_size(expr: ir.Expr, name: str) -> bool:
    """The number itself, in a sum or product, or the smaller of it and something that is no constant."""
    if dotted_name(expr) == name:
        return True
    if expr.__class__ is ir.BinOp and expr.op in ("+", "*"):
        return _is_size(expr.left, name) or _is_size(expr.right, name)
    if expr.__class__ is ir.Sequence:
        return any(_is_size(each, name) for each in expr.elts)
    if expr.__class__ is ir.Call and last_name(expr.func) in ("int", "max", "min", "abs"):
        others = [each for each in expr.args if not _is_size(each, name)]
        if len(others) == len(expr.args):
            return False
        return last_name(expr.func) != "min" or not any(_is_limit(each) for each in others)
    return False


def _is_limit(expr: ir.Expr) -> bool:
    """A constant, or what is named or configured like one."""
    name = last_name(expr)
    return (
        expr.__class__ is ir.Constant
        or name.isupper()
        or expr.__class__ is ir.Attribute
        or "max" in name.lower()
    )


def _repeats(expr: ir.BinOp, name: str) -> bool:
    """`"x" * width`, `[0] * count`."""
    sides = (expr.left, expr.right)
    literal = any(
        s.__class__ is ir.Sequence or (s.__class__ is ir.Constant and s.kind in ("str", "bytes"))
        for s in sides
    )
    return literal and any(dotted_name(s) == name for s in sides)


def _is_limited(function: Function, name: str) -> bool:
    """The name is compared with something but nought, or gets another value."""
    first = name.partition(".")[0]
    if any(binding.kind != "parameter" for binding in function.facts.bindings.get(first, ())):
        return True
    for site in function.facts.sites(ir.Compare):
        sides = (site.node.left, *site.node.comparators)
        if _ORDER.isdisjoint(site.node.ops) or not any(_mentions(side, name) for side in sides):
            continue
        if not any(side.__class__ is ir.Constant and side.value in (0, 1) for side in sides):
            return True
    return False


def _mentions(expr: ir.Expr, name: str) -> bool:
    return any(dotted_name(node) == name for node in walk(expr) if node.__class__ in (ir.Name, ir.Attribute))


def _received(graph: AppGraph, site: Site, name: str) -> Iterator[tuple[Function, str]]:
    """Functions of the program that are given the number, or the object that holds it, with its name there."""
    call = site.node
    first, _, rest = name.partition(".")
    if not any(_is_given(each, name, first) for each in (*call.args, *(k.value for k in call.keywords))):
        return
    for target in graph.program.calls.targets(site):
        if id(target) not in _leading(graph):
            continue
        names = [p.name for p in target.parameters[target.is_method :]]
        given = [*zip(names, call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]
        for parameter, value in given:
            if parameter is None or target.parameter(parameter) is None:
                continue
            if dotted_name(value) == name:
                yield target, parameter
            elif rest and dotted_name(value) == first:
                yield target, f"{parameter}.{rest}"


def _is_given(expr: ir.Expr, name: str, first: str) -> bool:
    return expr.__class__ in (ir.Name, ir.Attribute) and dotted_name(expr) in (name, first)


def _finding(graph: AppGraph, operation: PathOperation, handler: Function, found: Sized) -> Finding:
    what = last_name(found.site.node.func) if isinstance(found.site.node, ir.Call) else "*"
    field = found.sent.rpartition(".")[2]
    return rule.at(
        found.site,
        f"`{found.sent}` of `{operation}` ({handler.name}) says how much `{what}` takes here, and has no upper bound.",
        "Say how much a client may ask for; more is then refused with 422:\n"
        f"```python\n{field}: Annotated[int, Query(ge=1, le=65536)]\n```",
        reasoning=f"`{found.sent}` is any whole number that a client sends; no `le`, comparison or `min` stands on the way.",
        exploit=f"Send `{operation}` with `{field}` in the thousands of millions, some times at once: the process runs out of memory "
        "or time.",
        confidence=Confidence.FIRM,
        trace=steps(
            (handler, f"{found.sent} comes with the request"),
            *((hop, "it goes on") for hop in found.hops),
            (found.site, f"it is the size of `{what}`"),
        ),
        routes=routes_of([operation]),
        context=Context(access=graph.access(operation).level.label, writes=False, stops_process=True),
    )


_HEAD = """
    from typing import Annotated

    from fastapi import FastAPI, Query
    from fastapi.responses import Response

    app = FastAPI()
"""

rule.bad = (
    _HEAD
    + """
    @app.get("/samples")
    def read_sample(size: int = 1024) -> Response:
        with open("/dev/zero", "rb") as source:
            return Response(source.read(size))  # finding: client-chosen-size-unbounded
"""
)

rule.good = (
    _HEAD
    + """
    @app.get("/samples")
    def read_sample(size: Annotated[int, Query(ge=1, le=65536)] = 1024) -> Response:
        with open("/dev/zero", "rb") as source:
            return Response(source.read(size))
"""
)


@rule.exploit
def a_request_takes_the_memory(proof: Proof) -> None:
    """A request for fifty megabytes gets them all at once."""
    wanted = 50_000_000
    used = proof.peak_memory(lambda: proof.client.get("/samples", params={"size": wanted}))
    assert used >= wanted
