"""What queries search by: the columns in the conditions, joins and orders of every statement.

The steps of one chain, and of the name that it is assigned to (`statement = statement.where(...)`), are one statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.tables import Column
from fastapi_architect.concepts.database import QueryStep
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

#: Functions of a chain's steps that put conditions together.
_COMBINING = frozenset({"and_", "or_", "not_"})
_OPERATORS = {
    "in_": "in",
    "notin_": "not in",
    "not_in": "not in",
    "is_": "is",
    "is_not": "is not",
    "isnot": "is not",
    "like": "like",
    "ilike": "like",
    "not_like": "like",
    "not_ilike": "like",
    "startswith": "startswith",
    "istartswith": "like",
    "endswith": "like",
    "contains": "like",
    "icontains": "like",
    "between": "between",
    "op": "other",
    "any_": "other",
    "has": "other",
    "any": "other",
    "overlap": "other",
    "match": "other",
    "regexp_match": "other",
    "contained_by": "other",
    "has_key": "other",
}
_STEPS = ("where", "join", "order_by")


class Predicate(msgspec.Struct, frozen=True, eq=False):
    """A column that a statement searches or sorts by.

    Attributes:
        model: the mapped class.
        column: its column.
        operator: ==, <, in, not in, is, is not, like, startswith, between, join, order, truth or other.
        function: what is called on the column (`lower`, `date`, `cast`), "" for nothing.
        value: the other side; None when there is none.
        alternative: it stands below an `or`.
        step: the step it belongs to.
        expr: the condition.
        scope: where it stands.
    """

    model: Model
    column: Column
    operator: str
    function: str
    value: ir.Expr | None
    alternative: bool
    step: QueryStep
    expr: ir.Expr
    scope: Scope

    @property
    def location(self) -> Location:
        """The condition."""
        return self.scope.location(self.expr)


class Statement(msgspec.Struct, frozen=True, eq=False):
    """Everything one statement searches by.

    Attributes:
        scope: the body it is built in.
        predicates: of its steps, in order.
        kinds: kinds of its steps.
        opaque: a condition that is not understood.
    """

    scope: Scope
    predicates: tuple[Predicate, ...]
    kinds: frozenset[str]
    opaque: bool

    @property
    def function(self) -> Function | None:
        """The function it is built in; None at module level."""
        return self.scope if isinstance(self.scope, Function) else None


class _Reader:
    """Reads the statements of one graph."""

    def __init__(self, graph: AppGraph) -> None:
        self.graph = graph
        self.opaque = False

    def statements(self) -> Iterator[Statement]:
        groups: dict[tuple[int, object], list[QueryStep]] = {}
        chained: dict[int, QueryStep] = {id(s.node): s for s in self.graph.facts(QueryStep)}
        inner = {id(s.statement) for s in chained.values()}
        for step in chained.values():
            if id(step.node) in inner:
                continue
            steps = _chain(step, chained)
            groups.setdefault(self._key(step, steps[0]), []).extend(steps)
        for steps in groups.values():
            self.opaque = False
            found = tuple(p for step in steps if step.kind in _STEPS for p in self._of_step(step))
            yield Statement(steps[0].scope, found, frozenset(s.kind for s in steps), self.opaque)

    def _key(self, last: QueryStep, first: QueryStep) -> tuple[int, object]:
        statement = last.site.statement
        if isinstance(first.statement, ir.Name):
            return id(last.scope), first.statement.id
        if isinstance(statement, ir.Assign) and statement.value is last.node:
            target = statement.targets[0]
            if isinstance(target, ir.Name):
                return id(last.scope), target.id
        return id(last.scope), id(last.node)

    def _of_step(self, step: QueryStep) -> Iterator[Predicate]:
        for keyword in step.keywords if step.kind == "where" else ():
            yield from self._of_keyword(step, keyword)
        args = step.args[1:] if step.kind == "join" else step.args
        for arg in args:
            if step.kind == "order_by":
                yield from self._order(step, arg)
            else:
                yield from self._condition(step, arg, alternative=False)

    def _of_keyword(self, step: QueryStep, keyword: ir.Keyword) -> Iterator[Predicate]:
        """`filter_by(email=...)`: of the entity that the chain selects from; `**conditions` may name any column."""
        model = self._selected(step)
        if model is None or keyword.arg is None:
            self.opaque = True
            return
        column = model.by_attribute.get(keyword.arg)
        if column is not None:
            yield Predicate(model, column, "==", "", keyword.value, False, step, step.node, step.scope)

    def _selected(self, step: QueryStep) -> Model | None:
        """What a chain begins with, or names in `select_from`; None when it is not known, as after a join."""
        start: ir.Expr | None = step.statement
        while isinstance(start, ir.Call):
            name = last_name(start.func)
            if name.endswith("join"):
                return None
            if name in ("query", "select", "select_from") or not isinstance(start.func, ir.Attribute):
                return self._entity(start.args[0], step.scope) if start.args else None
            start = start.func.value
        return None

    def _entity(self, expr: ir.Expr, scope: Scope) -> Model | None:
        """The model of `Order`, or of its column `Order.total`."""
        for of in options(self.graph.program.inference.type_of(expr, scope)):
            model = self.graph.database.model_of.get(id(of.cls)) if isinstance(of, ClassRef) else None
            if model is not None:
                return model
        found = self.column(expr, scope)
        return found[0] if found is not None else None

    def _order(self, step: QueryStep, arg: ir.Expr) -> Iterator[Predicate]:
        inner: ir.Expr = arg
        while isinstance(inner, ir.Call):
            if isinstance(inner.func, ir.Attribute) and not inner.args:
                inner = inner.func.value
            elif inner.args:
                inner = inner.args[0]
            else:
                return
        column = self.column(inner, step.scope)
        if column is not None:
            yield Predicate(*column, "order", "", None, False, step, arg, step.scope)

    def _condition(self, step: QueryStep, expr: ir.Expr, *, alternative: bool) -> Iterator[Predicate]:
        if isinstance(expr, ir.Starred):
            self.opaque = True
        elif isinstance(expr, ir.BinOp) and expr.op in ("&", "|"):
            either = alternative or expr.op == "|"
            yield from self._condition(step, expr.left, alternative=either)
            yield from self._condition(step, expr.right, alternative=either)
        elif isinstance(expr, ir.UnaryOp):
            yield from self._condition(step, expr.operand, alternative=alternative)
        elif isinstance(expr, ir.Call) and last_name(expr.func) in _COMBINING:
            either = alternative or last_name(expr.func) == "or_"
            for arg in expr.args:
                yield from self._condition(step, arg, alternative=either)
        else:
            yield from self._simple(step, expr, alternative=alternative)

    def _simple(self, step: QueryStep, expr: ir.Expr, *, alternative: bool) -> Iterator[Predicate]:
        join = step.kind == "join"
        if isinstance(expr, ir.Compare) and len(expr.ops) == 1:
            sides = [(expr.left, expr.comparators[0]), (expr.comparators[0], expr.left)]
            found = [(self._called(a, step.scope), b) for a, b in sides]
            columns = [c for c, _ in found if c is not None]
            for side, value in found:
                if side is not None:
                    operator = "join" if join or len(columns) == 2 else expr.ops[0]
                    yield Predicate(*side[0], operator, side[1], value, alternative, step, expr, step.scope)
            self.opaque = self.opaque or not columns
        elif (
            isinstance(expr, ir.Call) and isinstance(expr.func, ir.Attribute) and expr.func.attr in _OPERATORS
        ):
            side = self._called(expr.func.value, step.scope)
            pattern = expr.args[0] if expr.args else None
            self.opaque = self.opaque or side is None
            if side is not None:
                operator = _OPERATORS[expr.func.attr]
                yield Predicate(*side[0], operator, side[1], pattern, alternative, step, expr, step.scope)
        else:
            column = self.column(expr, step.scope)
            self.opaque = self.opaque or column is None
            if column is not None:
                yield Predicate(*column, "truth", "", None, alternative, step, expr, step.scope)

    def _called(self, expr: ir.Expr, scope: Scope) -> tuple[tuple[Model, Column], str] | None:
        """A column, or a function of one: `func.lower(User.email)`, `cast(Order.at, Date)`."""
        column = self.column(expr, scope)
        if column is not None:
            return column, ""
        if isinstance(expr, ir.Call):
            name = last_name(expr.func)
            candidates = [*expr.args]
            if isinstance(expr.func, ir.Attribute):
                candidates.append(expr.func.value)
            for arg in candidates:
                inner = self._called(arg, scope)
                if inner is not None:
                    return inner[0], name
        if isinstance(expr, ir.Subscript | ir.BinOp):
            inner = self._called(expr.value if isinstance(expr, ir.Subscript) else expr.left, scope)
            return (inner[0], inner[1] or "expression") if inner is not None else None
        return None

    def column(self, expr: ir.Expr, scope: Scope) -> tuple[Model, Column] | None:
        """The column that `Model.attribute` means."""
        if not isinstance(expr, ir.Attribute) or not isinstance(expr.value, ir.Name | ir.Attribute):
            return None
        for of in options(self.graph.program.inference.type_of(expr.value, scope)):
            model = self.graph.database.model_of.get(id(of.cls)) if isinstance(of, ClassRef) else None
            column = model.by_attribute.get(expr.attr) if model is not None else None
            if model is not None and column is not None:
                return model, column
        return None


def _chain(last: QueryStep, chained: dict[int, QueryStep]) -> list[QueryStep]:
    """The steps that end in `last`, first first; calls that are no steps are passed over."""
    found = [last]
    current = last.statement
    while isinstance(current, ir.Call) and isinstance(current.func, ir.Attribute):
        step = chained.get(id(current))
        if step is not None:
            found.append(step)
        current = current.func.value
    return found[::-1]


def statements_of(functions: Iterable[Function], graph: AppGraph) -> list[Statement]:
    """The statements that some functions build; in the order of `statements`."""
    index = _by_function(graph)
    found = [pair for key in {id(f) for f in functions} for pair in index.get(key, ())]
    found.sort(key=lambda pair: pair[0])
    return [statement for _, statement in found]


@question
def _by_function(graph: AppGraph) -> dict[int, list[tuple[int, Statement]]]:
    """Statements with their positions, by the identity of the function that builds them."""
    index: dict[int, list[tuple[int, Statement]]] = {}
    for position, each in enumerate(statements(graph)):
        if each.function is not None:
            index.setdefault(id(each.function), []).append((position, each))
    return index


@question
def statements(graph: AppGraph) -> tuple[Statement, ...]:
    """Every statement that has a condition, join or order; once for each graph."""
    return tuple(_Reader(graph).statements())
