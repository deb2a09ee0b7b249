"""Which relationships does a statement load together with its rows?

Loader options are looked for in the whole chain, in the variable that it is built in, in functions that build it, and in
what a caller hands over: `find(session, options=[selectinload(Order.items)])`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.followed_values import (
    Followed,
    Place,
    attribute_values,
    called_functions,
    followed,
    returned,
)
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.database import LoaderOption, QueryStart, QueryStep
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: What fills a relationship at once, or sees to it that reading it sends no query.
_FILLS = frozenset({"selectin", "joined", "subquery", "contains", "raise", "noload"})
#: Expressions that one statement is followed through.
_MAX_STEPS = 120


class Loaded(msgspec.Struct, frozen=True):
    """What comes together with the rows of a statement.

    Attributes:
        names: attributes that loader options name.
        everything: an option is for all of them (`raiseload("*")`).
        unknown: options that cannot be read, or a statement that is built elsewhere.
        equal: columns that are held to one value, by their names.
        limit: the largest number of rows that the statement says itself, None when it says none.
    """

    names: frozenset[str] = frozenset()
    everything: bool = False
    unknown: bool = False
    equal: frozenset[str] = frozenset()
    limit: int | None = None

    def covers(self, attribute: str) -> bool:
        """Reading the attribute sends no query."""
        return self.everything or attribute in self.names


@question
def _options(graph: AppGraph) -> dict[int, LoaderOption]:
    return {id(option.node): option for option in graph.facts(LoaderOption)}


@question
def _steps(graph: AppGraph) -> dict[int, QueryStep]:
    return {id(step.node): step for step in graph.facts(QueryStep)}


@question
def _starts(graph: AppGraph) -> frozenset[int]:
    return frozenset(id(start.node) for start in graph.facts(QueryStart))


def loaded_by(graph: AppGraph, statement: ir.Expr | None, place: Place) -> Loaded:
    """What a statement loads together with its rows."""
    reader = _Reader(graph)
    reader.statement(statement, place)
    return reader.answer()


def loaded_by_options(graph: AppGraph, given: ir.Expr | None, place: Place) -> Loaded:
    """What `session.get(Order, 1, options=[...])` loads."""
    reader = _Reader(graph)
    if given is not None:
        reader.option(given, place)
    return reader.answer()


class _Reader:
    """Collects from one statement."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._names: set[str] = set()
        self._everything = False
        self._unknown = False
        self._equal: set[str] = set()
        self._limits: list[int] = []
        self._seen: set[tuple[int, tuple[int, ...]]] = set()

    def answer(self) -> Loaded:
        return Loaded(
            frozenset(self._names),
            self._everything,
            self._unknown,
            frozenset(self._equal),
            max(self._limits, default=None),
        )

    def _first_time(self, expr: ir.Expr, place: Place) -> bool:
        key = (id(expr), tuple(id(site.node) for site in place.calls))
        if key in self._seen:
            return False
        self._seen.add(key)
        self._unknown = self._unknown or len(self._seen) > _MAX_STEPS
        return len(self._seen) <= _MAX_STEPS

    # ── statements ──────────────────────────────────────────────────────────────────────────────────────────

    def statement(self, expr: Any, place: Place) -> None:
        if expr is None:
            self._unknown = True
        elif self._first_time(expr, place):
            self._statement(expr, place)

    def _statement(self, expr: Any, place: Place) -> None:
        kind = expr.__class__
        if kind is ir.Await or kind is ir.NamedExpr:
            self.statement(expr.value, place)
        elif kind is ir.IfExp:
            self.statement(expr.body, place)
            self.statement(expr.orelse, place)
        elif kind is ir.Name:
            self._each_statement(*followed(self._graph, expr.id, place))
        elif kind is ir.Attribute:
            values = attribute_values(self._graph, expr, place)
            self._each_statement(values, bool(values))
        elif kind is ir.Call:
            self._call(expr, place)
        elif kind is not ir.Constant:
            self._unknown = True

    def _each_statement(self, values: Iterable[Followed], complete: bool) -> None:
        self._unknown = self._unknown or not complete
        for each in values:
            expr = _part(each.expr, each.path)
            if each.element or expr is None:
                self._unknown = True
            else:
                self.statement(expr, each.place)

    def _call(self, expr: ir.Call, place: Place) -> None:
        if id(expr) in _starts(self._graph):
            if isinstance(expr.func, ir.Attribute) and last_name(expr.func) != "query":
                self.statement(expr.func.value, place)  # `statement.union(...)`
            return
        step = _steps(self._graph).get(id(expr))
        if step is not None:
            self._step(step, place)
            if step.statement is not None:
                self.statement(step.statement, place)
            return
        functions = called_functions(self._graph, expr, place)
        if functions:
            self._built_by(functions)
        elif isinstance(expr.func, ir.Attribute):
            self.statement(expr.func.value, place)
        else:
            self._unknown = True

    def _built_by(self, functions: list[tuple[Function, Place]]) -> None:
        for function, inside in functions:
            sites = returned(self._graph, function)
            self._unknown = self._unknown or not sites
            for site in sites:
                self.statement(site.node.value, inside)

    def _step(self, step: QueryStep, place: Place) -> None:
        if step.kind == "options":
            for given in step.args:
                self.option(given, place)
        elif step.kind == "where":
            self._equal |= {k.arg for k in step.keywords if k.arg is not None}
            self._equal |= set(_equated(step.args))
        elif step.kind == "limit" and step.args:
            value = self._graph.program.constants.value(step.args[-1], place.scope)
            if isinstance(value, int) and not isinstance(value, bool):
                self._limits.append(value)

    # ── options ─────────────────────────────────────────────────────────────────────────────────────────────

    def option(self, expr: Any, place: Place) -> None:
        """Add what one argument of `options(...)` says."""
        if not self._first_time(expr, place):
            return
        kind = expr.__class__
        if kind is ir.Starred or kind is ir.Await or kind is ir.NamedExpr:
            self.option(expr.value, place)
        elif kind is ir.Sequence:
            for element in expr.elts:
                self.option(element, place)
        elif kind is ir.IfExp:
            self.option(expr.body, place)
            self.option(expr.orelse, place)
        elif kind is ir.BoolOp:
            for value in expr.values:
                self.option(value, place)
        elif kind is ir.BinOp:
            self.option(expr.left, place)
            self.option(expr.right, place)
        elif kind is ir.Comprehension:
            self._unknown = True
        elif kind is ir.Name:
            self._each_option(*followed(self._graph, expr.id, place))
            self._grown(expr.id, place)
        elif kind is ir.Attribute:
            values = attribute_values(self._graph, expr, place)
            self._each_option(values, bool(values))
        elif kind is ir.Call:
            self._option_call(expr, place)
        elif kind is not ir.Constant:
            self._unknown = True

    def _each_option(self, values: Iterable[Followed], complete: bool) -> None:
        self._unknown = self._unknown or not complete
        for each in values:
            self.option(each.expr, each.place)

    def _grown(self, name: str, place: Place) -> None:
        """`options.append(selectinload(Order.items))`."""
        for site in place.scope.facts.calls_named("append", "extend", "add"):
            func = site.node.func
            if isinstance(func, ir.Attribute) and isinstance(func.value, ir.Name) and func.value.id == name:
                for given in site.node.args:
                    self.option(given, place)

    def _option_call(self, expr: ir.Call, place: Place) -> None:
        known = _options(self._graph)
        inner = [known[id(node)] for node in walk(expr) if id(node) in known]
        for option in inner:
            self._add(option)
        if inner:
            return
        functions = called_functions(self._graph, expr, place)
        if functions:
            for function, inside in functions:
                for site in returned(self._graph, function):
                    self.option(site.node.value, inside)
        elif last_name(expr.func) in ("tuple", "list", "set"):
            for given in expr.args:
                self.option(given, place)
        else:
            self._unknown = self._unknown or last_name(expr.func) not in ("Load", "of_type")

    def _add(self, option: LoaderOption) -> None:
        if option.kind not in _FILLS:
            return
        for attribute in option.attributes:
            if isinstance(attribute, ir.Constant):
                text = str(attribute.value)
                self._everything = self._everything or text == "*"
                self._names |= set(text.split("."))
            elif isinstance(attribute, ir.Name | ir.Starred):
                self._unknown = True
            else:
                self._names |= {node.attr for node in walk(attribute) if isinstance(node, ir.Attribute)}


def _equated(conditions: Iterable[ir.Expr]) -> Iterator[str]:
    """Names of columns that are held to one value: `where(Order.user_id == user.id)`."""
    for given in conditions:
        for part in walk(given):
            if isinstance(part, ir.Compare) and part.ops == ["=="]:
                yield from (last_name(side) for side in (part.left, *part.comparators))


def _part(expr: ir.Expr, path: tuple[int, ...]) -> ir.Expr | None:
    """What a position of a display holds; None where the value is no display."""
    for index in path:
        if not isinstance(expr, ir.Sequence) or not 0 <= index < len(expr.elts):
            return None
        expr = expr.elts[index]
    return expr
