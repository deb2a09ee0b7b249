"""What runs together with a function: whoever calls it, and all that they reach."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.effects import effects
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.program.definitions import Function
from fastapi_architect.program.types import FunctionRef, Instance, options
from fastapi_architect.syntax import ir

_MAX_UP = 6


@question_about
def running_with(graph: AppGraph, function: Function) -> dict[int, Function] | None:
    """Whatever runs together with a function: its callers, and all that they reach; None when that is too much."""
    up = {id(function): function}
    frontier = [function]
    for _ in range(_MAX_UP):
        callers = [
            s.scope for f in frontier for s in graph.program.calls.callers(f) if isinstance(s.scope, Function)
        ]
        frontier = [c for c in {id(c): c for c in callers}.values() if id(c) not in up]
        up.update({id(c): c for c in frontier})
    entries = [f for operation in graph.entries(function) for f in operation.functions]
    reached, complete = effects(graph).reached([*up.values(), *entries])
    handed = [f for each in reached for f in _handed_on(graph, each)]
    further, also = effects(graph).reached(handed)
    return {id(f): f for f in (*reached, *further)} if complete and also else None


@question_about
def _handed_on(graph: AppGraph, function: Function) -> tuple[Function, ...]:
    """Functions given to calls: `background.add_task(drop, book_id)`, `refresh.delay(book_id)`."""
    return tuple(_given(graph, function))


def _given(graph: AppGraph, function: Function) -> Iterator[Function]:
    for site in function.facts.calls:
        given: list[ir.Expr] = [
            a
            for a in (*site.node.args, *(k.value for k in site.node.keywords))
            if isinstance(a, ir.Name | ir.Attribute)
        ]
        if isinstance(site.node.func, ir.Attribute) and site.node.func.attr in (
            "delay",
            "apply_async",
            "kiq",
            "send",
        ):
            given.append(site.node.func.value)
        for expr in given:
            found = graph.program.inference.type_of(expr, function)
            if found is None or type(found) is Instance:
                continue  # as nearly every argument
            for of in options(found):
                if isinstance(of, FunctionRef):
                    yield of.function
