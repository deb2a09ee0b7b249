"""What does a SELECT ask for: which models, filtered, ordered and limited how? Followed through variables of
one body.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.concepts.database import QueryStart, QueryStep, RowFetch, SqlExecution
from fastapi_architect.program.definitions import Class, Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, FunctionRef, Instance, options
from fastapi_architect.syntax import ir

_MAX_DEPTH = 30
_SINGLE = frozenset(
    {"first", "one", "one_or_none", "scalar", "scalar_one", "scalar_one_or_none", "count", "exists"}
)


class SelectStatement(msgspec.Struct):
    """A statement that is put together in one body.

    Attributes:
        start: where it begins, None when that is elsewhere.
        steps: what is chained to it, on any way.
        is_open: part of it is made where it cannot be followed.
        single: one row or a number is taken.
        site: the call that sends it.
        function: whose body it is.
    """

    site: Site
    function: Function
    start: QueryStart | None = None
    steps: list[QueryStep] = msgspec.field(default_factory=list)
    is_open: bool = False
    single: bool = False

    def of_kind(self, *kinds: str) -> list[QueryStep]:
        """Steps of these kinds."""
        return [step for step in self.steps if step.kind in kinds]

    def models(self, graph: AppGraph) -> Iterator[Class]:
        """Mapped classes that it selects; none when it selects single columns."""
        for entity in self.start.entities if self.start is not None else ():
            for option in options(graph.program.inference.type_of(entity, self.function)):
                if isinstance(option, ClassRef) and isinstance(option.cls, Class):
                    yield option.cls


@question_about
def selects(graph: AppGraph, function: Function) -> tuple[SelectStatement, ...]:
    """Statements that a function sends and reads rows of."""
    return tuple(_find(graph, function))


def _find(graph: AppGraph, function: Function) -> Iterator[SelectStatement]:
    reader = _Reader(graph, function)
    for execution in graph.within(SqlExecution, function):
        if execution.statement is None or execution.raw:
            continue
        made = SelectStatement(execution.site, function)
        reader.read(execution.statement, made)
        made.single = last_name(execution.node.func) in (
            "scalar",
            "fetchrow",
            "fetchval",
        ) or reader.is_single(execution.node)
        if made.start is None or made.start.kind in ("select", "query"):
            yield made
    for fetch in graph.within(RowFetch, function):
        if fetch.executes and fetch.result is not None:
            made = SelectStatement(fetch.site, function, single=fetch.kind in _SINGLE)
            reader.read(fetch.result, made)
            if made.start is None or made.start.kind in ("select", "query"):
                yield made


class _Reader:
    """Reads statements of one body."""

    def __init__(self, graph: AppGraph, function: Function) -> None:
        self._graph = graph
        self._function = function
        self._steps = {id(step.node): step for step in graph.within(QueryStep, function)}
        self._starts = {id(start.node): start for start in graph.within(QueryStart, function)}
        self._fetches = list(graph.within(RowFetch, function))

    def read(self, expr: ir.Expr, into: SelectStatement) -> None:
        """Add what an expression says."""
        self._read(expr, into, set(), 0)

    def _read(self, expr: ir.Expr, into: SelectStatement, seen: set[int], depth: int) -> None:
        if id(expr) in seen:
            return
        if depth > _MAX_DEPTH:
            into.is_open = True
            return
        seen.add(id(expr))
        if isinstance(expr, ir.Await):
            self._read(expr.value, into, seen, depth + 1)
        elif isinstance(expr, ir.IfExp):
            self._read(expr.body, into, seen, depth + 1)
            self._read(expr.orelse, into, seen, depth + 1)
        elif isinstance(expr, ir.Name):
            self._name(expr, into, seen, depth)
        elif isinstance(expr, ir.Call):
            self._call(expr, into, seen, depth)
        else:
            into.is_open = True

    def _name(self, expr: ir.Name, into: SelectStatement, seen: set[int], depth: int) -> None:
        bindings = self._function.facts.bindings.get(expr.id, ())
        if not bindings:
            into.is_open = True
        for binding in bindings:
            if (
                binding.kind in ("assign", "annotated", "walrus")
                and binding.value is not None
                and not binding.path
            ):
                self._read(binding.value, into, seen, depth + 1)
            else:
                into.is_open = True

    def _call(self, expr: ir.Call, into: SelectStatement, seen: set[int], depth: int) -> None:
        start = self._starts.get(id(expr))
        if start is not None:
            into.start = into.start or start
            return
        step = self._steps.get(id(expr))
        if step is not None:
            into.steps.append(step)
            if step.statement is not None:
                self._read(step.statement, into, seen, depth + 1)
            return
        into.is_open = True
        if isinstance(expr.func, ir.Attribute) and not self._is_ours(expr):
            self._read(expr.func.value, into, seen, depth + 1)

    def _is_ours(self, expr: ir.Call) -> bool:
        of = self._graph.program.inference.type_of(expr.func, self._function)
        return any(isinstance(option, FunctionRef) for option in options(of))

    def is_single(self, execution: ir.Call) -> bool:
        """One row, or a number, is taken from what a call gives."""
        return any(f.kind in _SINGLE and self._comes_from(f.result, execution, 0) for f in self._fetches)

    def _comes_from(self, expr: ir.Expr | None, execution: ir.Call, depth: int) -> bool:
        if expr is None or depth > _MAX_DEPTH:
            return False
        if expr is execution:
            return True
        if isinstance(expr, ir.Await):
            return self._comes_from(expr.value, execution, depth + 1)
        if isinstance(expr, ir.Call):
            return isinstance(expr.func, ir.Attribute) and self._comes_from(
                expr.func.value, execution, depth + 1
            )
        if isinstance(expr, ir.Name):
            bindings = self._function.facts.bindings.get(expr.id, ())
            return any(
                b.value is not None and self._comes_from(b.value, execution, depth + 1) for b in bindings
            )
        return False


def names_model(of: object) -> Class | None:
    """The class of the program that an instance is of, or None."""
    return of.cls if isinstance(of, Instance) and isinstance(of.cls, Class) else None
