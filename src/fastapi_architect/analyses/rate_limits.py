"""Does anything limit how often a client may ask: a decorator, a dependency, middleware, a counter, a gateway?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatch

from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.concepts.cache import RedisCommand
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

_LIMITS = lazy_pattern(
    r"slowapi|limit(?!_?(offset|param|query|size))|throttl|slow_?down|captcha|turnstile|lock(ed)?_?out|brute|attempts|backoff",
    re.IGNORECASE,
)
_COUNTS = lazy_pattern(
    r"fail(ed|ure)?_?(login|attempt|count)|login_?(attempt|fail)|attempts?(_?(left|count))?$|locked_?(until|at)|lockout",
    re.IGNORECASE,
)
_COUNTERS = frozenset({"incr", "incrby", "hincrby", "zadd"})
_DEPTH = 4
_MOST = 80


def is_limited_as_a_whole(graph: AppGraph, application: Application) -> bool:
    """A middleware limits requests; also one that is added where the application cannot be followed to."""
    if any(_LIMITS.search(m.name.rpartition(".")[2]) for m in application.middleware):
        return True
    added = [
        site.node.args
        for site in graph.program.call_sites_named("add_middleware")
        if site.scope.module.kind != "test"
    ]
    return any(_LIMITS.search(last_name(given[0])) for given in added if given)


@question_about
def below(graph: AppGraph, operation: PathOperation) -> tuple[Function, ...]:
    """Functions that run for an operation, dependencies first, a few calls deep."""
    found = {id(f): f for f in operation.functions}
    frontier = list(found.values())
    for _ in range(_DEPTH):
        following = [t for f in frontier for site in f.facts.calls for t in graph.program.calls.targets(site)]
        frontier = [f for f in dict.fromkeys(following) if id(f) not in found][:_MOST]
        found.update((id(f), f) for f in frontier)
    return tuple(found.values())


def is_limited(graph: AppGraph, operation: PathOperation, functions: Iterable[Function]) -> bool:
    """A decorator or a dependency of an operation limits requests, or one of the functions that run for it counts them."""
    handler = operation.handler
    assert handler is not None
    decorators = [d.func if d.__class__ is ir.Call else d for d in handler.node.decorators]
    if any(_LIMITS.search(last_name(d)) for d in decorators):
        return True
    if any(
        _LIMITS.search(d.name.rpartition(".")[2]) or _LIMITS.search(_written(d.provider))
        for d in operation.all_dependencies()
    ):
        return True
    return any(_counts(graph, function) for function in functions)


def unlimited(
    application: Application, graph: AppGraph, functions: frozenset[int]
) -> tuple[list[PathOperation], bool]:
    """Operations that let strangers run one of some functions as often as they like, and whether others are limited.

    Args:
        functions: identities of the functions, such as those that test a password.
    """
    open_ones: list[PathOperation] = []
    limited = False
    for operation in application.operations if functions else ():
        if operation.handler is None or operation.is_websocket or graph.access(operation).authenticated:
            continue
        ran = below(graph, operation)
        if not any(id(f) in functions for f in ran):
            continue
        if is_limited(graph, operation, ran):
            limited = True
        elif not is_covered(graph, operation):
            open_ones.append(operation)
    return open_ones, limited


def _written(expr: ir.Expr | None) -> str:
    if expr is None:
        return ""
    return last_name(expr.func if expr.__class__ is ir.Call else expr)


def _counts(graph: AppGraph, function: Function) -> bool:
    """The function limits, or counts what failed: in a row, in Redis, or by calling something named so."""
    if _LIMITS.search(function.name) or any(
        _LIMITS.search(last_name(s.node.func)) for s in function.facts.calls if _about_requests(s.node)
    ):
        return True
    called = {id(site.node.func) for site in function.facts.calls}
    if any(
        _COUNTS.search(s.node.attr) for s in function.facts.sites(ir.Attribute) if id(s.node) not in called
    ):
        return True
    return any(command.command in _COUNTERS for command in graph.within(RedisCommand, function))


def _about_requests(call: ir.Call) -> bool:
    """`select(...).limit(1)` limits rows, not requests."""
    return (
        last_name(call.func) not in ("limit", "with_limit")
        or not call.args
        or call.args[0].__class__ is not ir.Constant
    )


def is_covered(graph: AppGraph, operation: PathOperation) -> bool:
    """The configuration names a gateway that limits requests to it."""
    patterns = [*graph.project.gateway.get("rate-limit", ()), *graph.project.gateway.get("rate_limit", ())]
    return any(fnmatch(operation.path, pattern) for pattern in patterns)
