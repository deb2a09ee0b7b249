"""Does a guard of the whole application let this operation pass, because its handler carries a mark?

`@public` on a handler sets an attribute; a dependency of the application looks at `request.scope["endpoint"]` and asks for
credentials only where the attribute is missing. The mark may also be the other way round (`@login_required`): then the guard
asks for nothing where it is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import FunctionRef, options
from fastapi_architect.syntax import ir


class Mark(msgspec.Struct, frozen=True):
    """What a guard asks a handler for: an attribute, and whether having it lets a request pass unasked."""

    attribute: str
    passes: bool


class Exemptions:
    """Reads marks; what a guard asks and what a decorator sets is found once for each."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._asked: dict[Function, Mark | None] = {}
        self._set: dict[Function, frozenset[str]] = {}

    def lets_pass(self, guard: Function | None, handler: Function | None) -> bool:
        """The guard does nothing for this handler."""
        if guard is None or handler is None:
            return False
        mark = self._mark_asked(guard)
        return mark is not None and (mark.attribute in self._marks_of(handler)) == mark.passes

    def mark_that_opens(self, guard: Function | None, handler: Function | None) -> str:
        """The attribute on the handler for which the guard lets everybody pass; empty when it is asked for credentials."""
        if guard is None or handler is None:
            return ""
        mark = self._mark_asked(guard)
        return mark.attribute if mark and mark.passes and mark.attribute in self._marks_of(handler) else ""

    def _mark_asked(self, guard: Function) -> Mark | None:
        if guard not in self._asked:
            self._asked[guard] = self._find_mark(guard)
        return self._asked[guard]

    # ── the guard ───────────────────────────────────────────────────────────────────────────────────────────

    def _find_mark(self, guard: Function) -> Mark | None:
        """The mark on which everything that the guard does depends."""
        body = guard.body
        for index, statement in enumerate(body):
            if statement.__class__ is not ir.If or statement.elifs:
                continue
            test, negated = statement.test, False
            while test.__class__ is ir.UnaryOp and test.op == "not":
                test, negated = test.operand, not negated
            attribute = self._attribute_asked(test, guard)
            if attribute is None:
                continue
            if _returns(statement.body):
                return Mark(attribute, passes=not negated)
            if index == len(body) - 1 and not statement.orelse:
                return Mark(attribute, passes=negated)
        return None

    def _attribute_asked(self, test: ir.Expr, scope: Scope) -> str | None:
        """`getattr(endpoint, NAME, False)` in the test, or in the function that it calls with the endpoint."""
        for call in _calls_in(test):
            if not call.args or not _is_endpoint(call.args[0]):
                continue
            if last_name(call.func) in ("getattr", "hasattr") and len(call.args) > 1:
                return self._text(call.args[1], scope)
            for function in self._functions(call.func, scope):
                asked = (
                    c for s in function.facts.calls if last_name((c := s.node).func) in ("getattr", "hasattr")
                )
                for inner in asked:
                    if len(inner.args) > 1:
                        return self._text(inner.args[1], function)
        return None

    # ── the handler ─────────────────────────────────────────────────────────────────────────────────────────

    def _marks_of(self, handler: Function) -> frozenset[str]:
        """The attributes that its decorators set."""
        scope = handler.parent or handler.module
        found: frozenset[str] = frozenset()
        for decorator in handler.node.decorators:
            func = decorator.func if decorator.__class__ is ir.Call else decorator
            for function in self._functions(func, scope):
                if function not in self._set:
                    self._set[function] = frozenset(self._attributes_set(function))
                found |= self._set[function]
        return found

    def _attributes_set(self, decorator: Function) -> Iterator[str]:
        parameters = {parameter.name for parameter in decorator.node.params}
        for site in decorator.facts.calls:
            call = site.node
            if last_name(call.func) == "setattr" and len(call.args) == 3 and _named(call.args[0], parameters):
                name = self._text(call.args[1], decorator)
                if name is not None:
                    yield name
        for statement in decorator.body:
            if statement.__class__ is ir.Assign:
                for target in statement.targets:
                    if target.__class__ is ir.Attribute and _named(target.value, parameters):
                        yield target.attr

    # ── names ───────────────────────────────────────────────────────────────────────────────────────────────

    def _functions(self, func: ir.Expr, scope: Scope) -> Iterator[Function]:
        for of in options(self._program.inference.type_of(func, scope)):
            if isinstance(of, FunctionRef):
                yield of.function

    def _text(self, expr: ir.Expr, scope: Scope) -> str | None:
        return self._program.constants.string(expr, scope)


def _returns(body: list[Any]) -> bool:
    return bool(body) and body[-1].__class__ is ir.Return


def _named(expr: ir.Expr, names: set[str]) -> bool:
    return expr.__class__ is ir.Name and expr.id in names


def _is_endpoint(expr: ir.Expr) -> bool:
    """`scope["endpoint"]`, `scope.get("endpoint")`, `route.endpoint`."""
    if expr.__class__ is ir.Attribute:
        return expr.attr == "endpoint"
    if expr.__class__ is ir.Name:
        return expr.id == "endpoint"
    if expr.__class__ is ir.Subscript:
        return _is_the_word(expr.slice)
    return (
        expr.__class__ is ir.Call
        and last_name(expr.func) == "get"
        and bool(expr.args)
        and _is_the_word(expr.args[0])
    )


def _is_the_word(expr: ir.Expr) -> bool:
    return expr.__class__ is ir.Constant and expr.value == "endpoint"


def _calls_in(expr: Any) -> Iterator[ir.Call]:
    kind = expr.__class__
    if kind is ir.Call:
        yield expr
    elif kind is ir.Compare:
        for part in (expr.left, *expr.comparators):
            yield from _calls_in(part)
    elif kind is ir.BoolOp:
        for part in expr.values:
            yield from _calls_in(part)
