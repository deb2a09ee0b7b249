"""What each kind of element of a flow graph does to the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi_architect.dataflow.path import Trace
from fastapi_architect.dataflow.taint import CLEAN, collapsed, element_of, merge, traced
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.dataflow.transfer import State, Transfer


def _assign(run: Transfer, node: ir.Assign, state: State) -> None:
    value = run.evaluate(node.value, state)
    for target in node.targets:
        run.assign(target, value, node, state)


def _ann_assign(run: Transfer, node: ir.AnnAssign, state: State) -> None:
    if node.value is not None:
        run.assign(node.target, run.evaluate(node.value, state), node, state)


def _aug_assign(run: Transfer, node: ir.AugAssign, state: State) -> None:
    value = run.evaluate(node.value, state)
    if value is CLEAN:
        return
    if node.target.__class__ is ir.Name:
        name = node.target.id
        step = Trace("assigned", run.function, node, name)
        state[name] = merge(state.get(name, CLEAN), traced(collapsed(value), step))
    else:
        run.mix_into(node.target, value, state)


def _return(run: Transfer, node: ir.Return, state: State) -> None:
    if node.value is not None:
        value = run.evaluate(node.value, state)
        for bits, sink in run.solver.sinks_at(node):
            run.arrive(value, sink, bits)
        run.give_back(value)
        run.answer(node.value, state)


def _expr_stmt(run: Transfer, node: ir.ExprStmt, state: State) -> None:
    run.evaluate(node.value, state)


def _raise(run: Transfer, node: ir.Raise, state: State) -> None:
    for each in (node.exc, node.cause):
        if each is not None:
            run.evaluate(each, state)


def _assert(run: Transfer, node: ir.Assert, state: State) -> None:
    """No guard: `python -O` leaves it out."""
    run.evaluate(node.test, state)


def _delete(_run: Transfer, node: ir.Delete, state: State) -> None:
    for target in node.targets:
        if target.__class__ is ir.Name:
            state[target.id] = CLEAN


def _for(run: Transfer, node: ir.For, state: State) -> None:
    value = run.values.get(id(node.iter))
    if value is None:
        value = run.evaluate(node.iter, state)
    run.assign(node.target, element_of(value), node, state)


def _with_item(run: Transfer, item: ir.WithItem, state: State) -> None:
    value = run.evaluate(item.context, state)
    if item.target is not None:
        run.assign(item.target, value, item, state)


def _handler(_run: Transfer, node: ir.Handler, state: State) -> None:
    if node.name is not None:
        state[node.name] = CLEAN


def _case(run: Transfer, node: ir.Case, state: State) -> None:
    subject = run.subjects.get(id(node))
    if subject is not None:
        value = collapsed(run.values.get(id(subject), CLEAN))
        for name in node.captures:
            state[name] = value


def _function_def(run: Transfer, node: ir.FunctionDef, state: State) -> None:
    state[node.name] = CLEAN
    if node.decorators and node.name in run.inner:
        run.calls.escaped(run.inner[node.name], node, state)


#: Class of an element to what executes it; any other is an expression that is evaluated.
ELEMENTS: dict[type, Callable[[Transfer, Any, State], None]] = {
    ir.Assign: _assign,
    ir.AnnAssign: _ann_assign,
    ir.AugAssign: _aug_assign,
    ir.Return: _return,
    ir.ExprStmt: _expr_stmt,
    ir.Raise: _raise,
    ir.Assert: _assert,
    ir.Delete: _delete,
    ir.For: _for,
    ir.WithItem: _with_item,
    ir.Handler: _handler,
    ir.Case: _case,
    ir.FunctionDef: _function_def,
}
