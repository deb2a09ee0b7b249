"""Does one round of an unrolled loop get to a place? The conditions around it and those that skip a round decide.

`if path in SERVED_ELSEWHERE: continue` before a registration takes a path out, and so does `if path not in ...:` around
it. Three answers: yes, no, and None where a condition is not known before the program runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.appgraph.router_objects import Environment, RouterObjects
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Scope
from fastapi_architect.program.facts import Context
from fastapi_architect.syntax import ir

#: Operators whose two sides may be compared as constants, and whether the operator is the negated one.
_MEMBERSHIP = {"in": False, "not in": True}
_EQUALITY = {"==": False, "!=": True, "is": False, "is not": True}


class LoopRounds:
    """Answers for the router objects of one program."""

    def __init__(self, objects: RouterObjects) -> None:
        self._objects = objects

    def reaches(
        self, place: ir.Node, context: Context, scope: Scope, environment: Environment
    ) -> bool | None:
        """Whether the round that `environment` stands for runs `place`; True where no loop is around it."""
        answer: bool | None = True
        for test, wanted in _conditions(place, context):
            truth = self._truth(test, scope, environment)
            if truth is None:
                answer = None
            elif truth is not wanted:
                return False
        return answer

    def _truth(self, test: ir.Expr, scope: Scope, environment: Environment) -> bool | None:
        if isinstance(test, ir.UnaryOp) and test.op == "not":
            inner = self._truth(test.operand, scope, environment)
            return None if inner is None else not inner
        if isinstance(test, ir.BoolOp):
            parts = [self._truth(value, scope, environment) for value in test.values]
            decisive = test.op == "or"
            return decisive if decisive in parts else None if None in parts else not decisive
        if isinstance(test, ir.Compare):
            return self._compared(test, scope, environment) if len(test.ops) == 1 else None
        value = self._objects.value(test, scope, environment)
        return None if value is UNKNOWN else bool(value)

    def _compared(self, test: ir.Compare, scope: Scope, environment: Environment) -> bool | None:
        left: Any = self._objects.value(test.left, scope, environment)
        right: Any = self._objects.value(test.comparators[0], scope, environment)
        if left is UNKNOWN or right is UNKNOWN:
            return None
        operator = test.ops[0]
        if operator in _EQUALITY:
            return (left == right) is not _EQUALITY[operator]
        # An empty collection is filled by the rounds before: `if path in seen: continue`.
        if operator not in _MEMBERSHIP or not right or not isinstance(right, _COLLECTIONS):
            return None
        return any(left == each for each in right) is not _MEMBERSHIP[operator]


_COLLECTIONS = (list, tuple, set, frozenset, dict)


def _conditions(place: ir.Node, context: Context) -> Iterator[tuple[ir.Expr, bool]]:
    """Tests between a place and the outermost loop around it, each with the answer that lets the round go on."""
    around = list(context)
    last = max((i for i, c in enumerate(around) if c.role == "loop"), default=-1)
    for each in around[: last + 1]:
        node = each.node
        if each.role == "loop" and isinstance(node, ir.For):
            yield from ((test, False) for test in _skips(node.body, place))
        elif each.role == "if" and isinstance(node, ir.If | ir.Branch):
            yield node.test, True
        elif each.role == "else" and isinstance(node, ir.If):
            yield from ((test, False) for test in (node.test, *(branch.test for branch in node.elifs)))


def _skips(body: list[ir.Stmt], place: ir.Node) -> Iterator[ir.Expr]:
    """Tests of the statements before `place` in a loop's body that end the round."""
    for statement in body:
        if statement.span > place.span:
            return
        last = statement.body[-1] if isinstance(statement, ir.If) and statement.body else None
        if isinstance(statement, ir.If) and isinstance(last, ir.Jump) and last.kind == "continue":
            yield statement.test
