"""What each kind of expression gives, and what evaluating it does to the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi_architect.dataflow.access_path import key_step
from fastapi_architect.dataflow.taint import (
    CLEAN,
    ELEMENT,
    KEYS,
    Taint,
    at_position,
    collapsed,
    element_of,
    is_position,
    limited,
    masked,
    merge,
    normal,
    project,
    union,
)
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.dataflow.transfer import State, Transfer


def _name(run: Transfer, expr: ir.Name, state: State) -> Taint:
    found = state.get(expr.id, CLEAN)
    if found is CLEAN:
        if expr.id in run.inner:
            run.calls.escaped(run.inner[expr.id], expr, state)
        return CLEAN
    return CLEAN if run.solver.is_clean_name(expr.id, run.function) else found


def _attribute(run: Transfer, expr: ir.Attribute, state: State) -> Taint:
    base = run.evaluate(expr.value, state)
    if base is CLEAN:
        return CLEAN
    found = run.calls.property_value(expr, base)
    if found is None:
        found = project(base, expr.attr)
    if found is CLEAN or run.is_clean(expr):
        return CLEAN
    cleaning = run.solver.cleaning
    clean = cleaning.of_attribute(expr, run.function) if cleaning.matters else 0
    return masked(found, run.everything & ~clean) if clean else found


def _subscript(run: Transfer, expr: ir.Subscript, state: State) -> Taint:
    base = run.evaluate(expr.value, state)
    run.evaluate(expr.slice, state)
    if base is CLEAN:
        return CLEAN  # the key alone chooses among what the program put there
    step = key_step(expr.slice)
    if step is None:
        found = collapsed(base) if ELEMENT not in base.fields else element_of(base)
    else:
        found = at_position(base, step) if is_position(step) else project(base, step)
    if found is CLEAN or run.is_clean(expr):
        return CLEAN
    cleaning = run.solver.cleaning
    clean = cleaning.of_index(expr, run.function) if cleaning.matters else 0
    return masked(found, run.everything & ~clean) if clean else found


def _mixed(run: Transfer, expr: Any, state: State) -> Taint:
    parts = expr.operands if expr.__class__ is ir.Chain else (expr.left, expr.right)
    values = [run.evaluate(part, state) for part in parts]
    if expr.op == "+":
        values = run.solver.prefixes.behind(run.function, parts, values)
    elif expr.op == "%":
        values = run.solver.prefixes.in_template(run.function, expr, values)
    found = union(values)
    return CLEAN if found is CLEAN or run.is_clean(expr) else found


def _bool_op(run: Transfer, expr: ir.BoolOp, state: State) -> Taint:
    """`a and b`: b is evaluated where a holds; either may be the value."""
    found = CLEAN
    current = state
    for value in expr.values:
        found = merge(found, run.evaluate(value, current))
        current = dict(run.assumed(value, current, holds=expr.op == "and"))
    return found


def _unary(run: Transfer, expr: ir.UnaryOp, state: State) -> Taint:
    value = run.evaluate(expr.operand, state)
    return CLEAN if expr.op == "not" else value


def _compare(run: Transfer, expr: ir.Compare, state: State) -> Taint:
    run.evaluate(expr.left, state)
    for each in expr.comparators:
        run.evaluate(each, state)
    return CLEAN


def _dict(run: Transfer, expr: ir.Dict, state: State) -> Taint:
    found = CLEAN
    fields: dict[str, Taint] = {}
    for key, value in zip(expr.keys, expr.values, strict=True):
        taint = run.evaluate(value, state)
        step = key_step(key) if key is not None else None
        if key is None:
            found = merge(found, taint)
        elif step is not None:
            fields[step] = limited(taint, 1)
        else:
            found = merge(found, merge(collapsed(run.evaluate(key, state)), collapsed(taint)))
    if not fields:
        return found
    return normal(found.labels, {**found.fields, **fields})


def _sequence(run: Transfer, expr: ir.Sequence, state: State) -> Taint:
    parts = [run.evaluate(each, state) for each in expr.elts]
    if expr.kind != "tuple" or _starred(expr.elts):
        found = CLEAN
        for each, part in zip(expr.elts, parts, strict=True):
            found = merge(found, element_of(part) if each.__class__ is ir.Starred else part)
        return normal({}, {ELEMENT: limited(found, 1)}) if found is not CLEAN else CLEAN
    return normal({}, {f"[{position}]": limited(part, 1) for position, part in enumerate(parts)})


def _comprehension(run: Transfer, expr: ir.Comprehension, state: State) -> Taint:
    state = dict(state)
    for generator in expr.generators:
        value = run.evaluate(generator.iter, state)
        run.assign(generator.target, element_of(value), expr, state)
        for test in generator.ifs:
            run.evaluate(test, state)
            state = run.assumed(test, state, holds=True)
    found = run.evaluate(expr.elt, state)
    if expr.value is not None:
        keys, values = collapsed(found), collapsed(run.evaluate(expr.value, state))
        return normal(values.labels, {KEYS: keys})
    return normal({}, {ELEMENT: limited(found, 1)}) if found is not CLEAN else CLEAN


def _lambda(run: Transfer, expr: ir.Lambda, state: State) -> Taint:
    """Executed where it is written, with clean arguments: what it captures is what matters."""
    state = dict(state)
    for param in expr.params:
        state[param.name] = CLEAN
    return run.evaluate(expr.body, state)


def _if_exp(run: Transfer, expr: ir.IfExp, state: State) -> Taint:
    run.evaluate(expr.test, state)
    held, failed = (dict(run.assumed(expr.test, state, holds=holds)) for holds in (True, False))
    body = run.evaluate(expr.body, held)
    return merge(body, run.evaluate(expr.orelse, failed))


def _value_of(run: Transfer, expr: Any, state: State) -> Taint:
    return run.evaluate(expr.value, state)


def _yield(run: Transfer, expr: ir.Yield, state: State) -> Taint:
    if expr.value is not None:
        run.give_back(run.evaluate(expr.value, state))
    return CLEAN


def _named_expr(run: Transfer, expr: ir.NamedExpr, state: State) -> Taint:
    value = run.evaluate(expr.value, state)
    run.assign(expr.target, value, expr, state)
    return value


def _joined(run: Transfer, expr: ir.JoinedStr, state: State) -> Taint:
    values = [run.evaluate(part, state) for part in expr.values]
    return union(run.solver.prefixes.behind(run.function, expr.values, values))


def _formatted(run: Transfer, expr: ir.FormattedValue, state: State) -> Taint:
    found = run.evaluate(expr.value, state)
    spec = expr.format_spec
    if spec is not None:
        parts = spec.values if spec.__class__ is ir.JoinedStr else [spec]
        last = parts[-1] if parts else None
        if last.__class__ is ir.Constant and str(last.value)[-1:] in (
            "d",
            "f",
            "x",
            "X",
            "e",
            "g",
            "n",
            "b",
        ):
            return CLEAN  # formatting as a number refuses any text
    return found


def _slice(run: Transfer, expr: ir.Slice, state: State) -> Taint:
    for each in (expr.lower, expr.upper, expr.step):
        if each is not None:
            run.evaluate(each, state)
    return CLEAN


def _call(run: Transfer, expr: ir.Call, state: State) -> Taint:
    return run.calls.call(expr, state)


def _starred(elements: list[ir.Expr]) -> bool:
    return any(each.__class__ is ir.Starred for each in elements)


#: Class of an expression to what evaluates it; any other is clean.
EXPRESSIONS: dict[type, Callable[[Transfer, Any, State], Taint]] = {
    ir.Name: _name,
    ir.Attribute: _attribute,
    ir.Subscript: _subscript,
    ir.Call: _call,
    ir.BinOp: _mixed,
    ir.Chain: _mixed,
    ir.BoolOp: _bool_op,
    ir.UnaryOp: _unary,
    ir.Compare: _compare,
    ir.Dict: _dict,
    ir.Sequence: _sequence,
    ir.Comprehension: _comprehension,
    ir.Lambda: _lambda,
    ir.IfExp: _if_exp,
    ir.Await: _value_of,
    ir.Starred: _value_of,
    ir.Yield: _yield,
    ir.NamedExpr: _named_expr,
    ir.JoinedStr: _joined,
    ir.FormattedValue: _formatted,
    ir.Slice: _slice,
}
