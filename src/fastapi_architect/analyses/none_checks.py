"""Is a name known not to be None at a place? By the tests that every way to it passes, and by what stands around it.

Read generously: a helper that is given the name and tests it, or whose name says so (`ensure_found(order)`), counts.
"""

from __future__ import annotations

import re
from typing import Any

from fastapi_architect.analyses.caught_around import is_caught
from fastapi_architect.analyses.endings import reaches_end
from fastapi_architect.analyses.injected_values import is_tested, names_read
from fastapi_architect.analyses.surroundings import parents_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.dataflow.control_flow_graph import ControlFlowGraph
from fastapi_architect.dataflow.dominance import Dominance
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: What `None.name` raises, and what stands for it.
_CAUGHT = frozenset({"AttributeError", "TypeError", "Exception", "BaseException"})
_CHECKS = lazy_pattern(
    r"ensure|assert|check|require|verify|validate|raise|found|exists|authori[sz]e|must", re.IGNORECASE
)
_MAX_DEPTH = 8


@question_about
def dominance(graph: AppGraph, function: Function) -> Dominance:
    """What surely runs before what in a function."""
    del graph
    return Dominance(ControlFlowGraph(function))


def is_checked(graph: AppGraph, name: str, site: Site, function: Function) -> bool:
    """Where `site` is evaluated, `name` has been found not to be None, or its being None is caught."""
    if is_caught(site, _CAUGHT) or any(c.role == "handler" for c in site.context):
        return True
    if _is_refused_above(name, site, function):
        return True
    flow = dominance(graph, function)
    for edge in flow.conditions(site):
        if isinstance(edge.condition, ir.Case):
            if edge.subject is not None and name in names_read(edge.subject):
                return True
        elif implies(edge.condition, name, function, holds=edge.holds):
            return True
    return (
        _is_asserted(flow, name, site, function)
        or _is_checked_around(graph, name, site.node, function)
        or _is_handed_to_check(graph, flow, name, site, function)
    )


def is_refused_at_once(name: str, given: Site, use: Site, function: Function) -> bool:
    """`if order is None: raise` stands in the same block, between the two: what `is_checked` finds, for less."""
    block = given.context
    while block.role in ("await", "statement-value") and block.parent is not None:
        block = block.parent
    return any(
        each.context is block
        and given.node.span < each.node.span < use.node.span
        and not each.node.elifs
        and not reaches_end(each.node.body)
        and implies(each.node.test, name, function, holds=False)
        for each in function.facts.sites(ir.If)
    )


def implies(test: Any, name: str, function: Function, *, holds: bool, depth: int = 0) -> bool:
    """The test, true or false, says that `name` is not None."""
    if depth > _MAX_DEPTH:
        return False
    kind = test.__class__
    if kind is ir.Name:
        return (test.id == name and holds) or _says_for(test.id, name, function)
    if kind is ir.UnaryOp and test.op == "not":
        return implies(test.operand, name, function, holds=not holds, depth=depth + 1)
    if kind is ir.NamedExpr:
        inner = ir.Name(0, test.target.id) if isinstance(test.target, ir.Name) else test.value
        return implies(inner, name, function, holds=holds, depth=depth + 1)
    if kind is ir.BoolOp:
        found = [implies(value, name, function, holds=holds, depth=depth + 1) for value in test.values]
        return any(found) if (test.op == "and") == holds else all(found)
    if kind is ir.Compare:
        return _compared(test, name, holds=holds)
    # Any other test of the name is taken for one that None does not pass: `isinstance(order, Order)`, `len(rows)`.
    return kind is ir.Call and any(
        _is_name(given, name) for given in (*test.args, *(k.value for k in test.keywords))
    )


def _compared(test: ir.Compare, name: str, *, holds: bool) -> bool:
    for op, left, right in zip(test.ops, (test.left, *test.comparators), test.comparators, strict=False):
        for side, other in ((left, right), (right, left)):
            inner = side.value if isinstance(side, ir.NamedExpr) else side
            target = side.target if isinstance(side, ir.NamedExpr) else inner
            if not _is_name(target, name):
                continue
            none = isinstance(other, ir.Constant) and other.kind == "none"
            if none:
                return (op in ("is not", "!=")) == holds
            return (op in ("==", "is", "in")) == holds
    return False


def _says_for(flag: str, name: str, function: Function) -> bool:
    """`found = order is not None`: the test was kept in a variable."""
    bindings = function.facts.bindings.get(flag, ())
    return flag != name and any(
        b.kind in ("assign", "annotated") and isinstance(b.value, ir.Compare | ir.BoolOp | ir.UnaryOp | ir.Call)
        and name in names_read(b.value)
        for b in bindings
    )  # fmt: skip


def _is_name(expr: Any, name: str) -> bool:
    return isinstance(expr, ir.Name) and expr.id == name


def _is_checked_around(graph: AppGraph, name: str, node: Any, function: Function) -> bool:
    """`order and order.total`, `order.total if order else 0`, `[o.total for o in orders if o]`."""
    parents = parents_of(function, graph)
    while not isinstance(node, ir.Stmt):
        parent: Any = parents.get(id(node))
        if parent is None:
            return False
        if isinstance(parent, ir.BoolOp):
            before = parent.values[: next((i for i, v in enumerate(parent.values) if v is node), 0)]
            if any(implies(value, name, function, holds=parent.op == "and") for value in before):
                return True
        elif isinstance(parent, ir.IfExp) and node is not parent.test:
            if implies(parent.test, name, function, holds=node is parent.body):
                return True
        elif isinstance(parent, ir.Comprehension):
            tests = [test for generator in parent.generators for test in generator.ifs if test is not node]
            if any(implies(test, name, function, holds=True) for test in tests):
                return True
        node = parent
    return False


def _is_refused_above(name: str, site: Site, function: Function) -> bool:
    """`if not order: ... elif order.is_paid: ...`: the test of a branch is evaluated where those above were false."""
    statement = site.statement
    if not isinstance(statement, ir.If) or not statement.elifs:
        return False
    inside = next(
        (i for i, branch in enumerate(statement.elifs) if any(n is site.node for n in walk(branch.test))),
        None,
    )
    if inside is None:
        return False
    tests = [statement.test, *(branch.test for branch in statement.elifs[:inside])]
    return any(implies(test, name, function, holds=False) for test in tests)


def _is_asserted(flow: Dominance, name: str, site: Site, function: Function) -> bool:
    return any(
        implies(each.node.test, name, function, holds=True) and flow.dominates(each, site)
        for each in function.facts.sites(ir.Assert)
    )


def _is_handed_to_check(graph: AppGraph, flow: Dominance, name: str, site: Site, function: Function) -> bool:
    """`ensure_found(order)` has run before."""
    for call in function.facts.calls:
        given = (*call.node.args, *(k.value for k in call.node.keywords))
        if call.node is site.node or not any(_is_name(each, name) for each in given):
            continue
        if call.statement is site.statement or not flow.dominates(call, site):
            continue
        targets = graph.program.calls.targets(call)
        if not targets and _CHECKS.search(last_name(call.node.func)):
            return True
        if any(_tests(graph, target, call, name) for target in targets):
            return True
    return False


def _tests(graph: AppGraph, target: Function, call: Site, name: str) -> bool:
    """The function tests the parameter that receives the name."""
    parameters = target.parameters[1 if target.is_method else 0 :]
    for position, parameter in enumerate(parameters):
        if _is_name(argument(call.node, position, parameter.name), name):
            return is_tested(graph, target, parameter.name)
    return True
