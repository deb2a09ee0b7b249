"""Which checks of a row does a later assignment make fail: what may be done with the row once?

`if coupon.used: raise ...` and, behind it, `coupon.used = True`: whoever comes second is refused, as long as the two come one
after the other. An assignment after which the check would still pass (`if not user.is_active: raise ...; user.name = ...`) says
nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.row_writes import models_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.program.definitions import Function, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir

_OPPOSITE = {"==": "!=", "!=": "==", "is": "is not", "is not": "is", "in": "not in", "not in": "in"}


class OneUse(msgspec.Struct, frozen=True, eq=False):
    """A refusal, and the assignment that makes it refuse the next one.

    Attributes:
        check: the `if`.
        mark: the assignment.
        row: what both are about.
        column: the attribute.
        model: whose row it is.
    """

    check: Site
    mark: Site
    row: ir.Expr
    column: str
    model: Model


def one_uses(function: Function, graph: AppGraph) -> Iterator[OneUse]:
    """Every such pair of a function; the nearest check above each assignment."""
    refusals = [s for s in function.facts.sites(ir.If) if not s.node.elifs and _raises(s.node.body)]
    for mark in function.facts.sites(ir.Assign) if refusals else ():
        target = mark.node.targets[0]
        name = dotted_name(target) if isinstance(target, ir.Attribute) else None
        if not name:
            continue
        for check in reversed(refusals):
            if check.node.span > mark.node.span or not run_together(check, mark):
                continue
            if _is_true(check.node.test, name, mark.node.value):
                for model in models_of(target.value, function, graph):
                    if target.attr in model.by_attribute:
                        yield OneUse(check, mark, target.value, target.attr, model)
                        break
                break


def run_together(first: Site, second: Site) -> bool:
    """No `if` sends a request to one of the two places only, by their own branches."""
    branches = {id(c.node): c.role for c in first.context if c.role in ("if", "else")}
    around = {id(c.node): c.role for c in second.context if c.role in ("if", "else")}
    if any(around.get(node, role) != role for node, role in branches.items()):
        return False
    return not any(
        isinstance(c.node, ir.If) and any(id(branch) in around for branch in c.node.elifs)
        for c in first.context
    )


def _raises(body: list[ir.Stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ir.Raise)


# ── what a test says once the attribute has its new value ────────────────────────────────────────────────────


def _is_true(test: ir.Expr, name: str, value: ir.Expr) -> bool:
    """The test surely holds."""
    if isinstance(test, ir.UnaryOp) and test.op == "not":
        return _is_false(test.operand, name, value)
    if isinstance(test, ir.BoolOp) and test.op == "or":
        return any(_is_true(each, name, value) for each in test.values)
    if isinstance(test, ir.BoolOp):
        others = [each for each in test.values if not _is_there(each, name)]
        return bool(others) and all(_is_true(each, name, value) for each in others)
    if isinstance(test, ir.Compare):
        return _compares(test, test.ops[0], name, value)
    return isinstance(test, ir.Attribute) and dotted_name(test) == name and _is_truthy(value)


def _is_false(test: ir.Expr, name: str, value: ir.Expr) -> bool:
    """The test surely does not hold."""
    if isinstance(test, ir.UnaryOp) and test.op == "not":
        return _is_true(test.operand, name, value)
    if isinstance(test, ir.BoolOp):
        every = all if test.op == "or" else any
        return every(_is_false(each, name, value) for each in test.values)
    if isinstance(test, ir.Compare):
        return _compares(test, _OPPOSITE.get(test.ops[0], ""), name, value)
    return isinstance(test, ir.Attribute) and dotted_name(test) == name and _is_falsy(value)


def _is_there(test: ir.Expr, name: str) -> bool:
    """`coupon` or `coupon is not None`, beside `coupon.used`."""
    row = name.rpartition(".")[0]
    if isinstance(test, ir.Compare) and test.ops == ["is not"]:
        test = test.left
    return dotted_name(test) == row


def _compares(test: ir.Compare, op: str, name: str, value: ir.Expr) -> bool:
    if len(test.ops) != 1 or dotted_name(test.left) != name:
        return False
    other = test.comparators[0]
    if op in ("in", "not in"):
        members = other.elts if isinstance(other, ir.Sequence) else []
        same = any(_is_same(member, value) for member in members)
        return same if op == "in" else bool(members) and all(_differs(m, value) for m in members)
    if op in ("==", "is"):
        return _is_same(other, value)
    return op in ("!=", "is not") and _differs(other, value)


def _is_same(one: ir.Expr, other: ir.Expr) -> bool:
    if isinstance(one, ir.Constant) and isinstance(other, ir.Constant):
        return (one.kind, one.value) == (other.kind, other.value)
    name = _member(one)
    return "." in name and name == _member(other)


def _differs(one: ir.Expr, other: ir.Expr) -> bool:
    """They are surely different: other constants, other members of one enumeration, a value and None."""
    if isinstance(one, ir.Constant) and one.kind == "none":
        return _is_truthy(other) or (isinstance(other, ir.Constant) and other.kind != "none")
    if isinstance(one, ir.Constant) and isinstance(other, ir.Constant):
        return not _is_same(one, other)
    left, right = _member(one), _member(other)
    return left != right and "." in left and left.rpartition(".")[0] == right.rpartition(".")[0]


def _member(expr: ir.Expr) -> str:
    """The member of an enumeration; `Status.USED.value` is the same."""
    return dotted_name(expr).removesuffix(".value")


def _is_truthy(value: ir.Expr) -> bool:
    """True, a text, the time, the identifier of somebody."""
    if isinstance(value, ir.Constant):
        return bool(value.value)
    if isinstance(value, ir.Call):
        name = last_name(value.func).lower()
        return "now" in name or name in ("today", "timestamp")
    return isinstance(value, ir.Attribute) and value.attr in ("id", "uuid")


def _is_falsy(value: ir.Expr) -> bool:
    return isinstance(value, ir.Constant) and not value.value
