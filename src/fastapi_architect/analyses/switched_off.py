"""Which branches does a call switch off? Those under `if p:` when it leaves the parameter `p` at None or False, and those
under its `else` when it gives something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir


def is_switched_off(inner: Site, call: Site) -> bool:
    """`inner` never runs when its function is called by `call`: it stands under a parameter that is empty there.

    Args:
        inner: a place in the called function.
        call: a call of that function.
    """
    function = inner.scope
    if not isinstance(function, Function) or _unpacks(call.node):
        return False
    return any(
        context.role == "if"
        and isinstance(context.node, ir.If | ir.Branch)
        and any(_is_empty(name, function, call.node) for name in _needed(context.node.test))
        for context in inner.context
    )


def is_without_argument(inner: Site, call: Site) -> bool:
    """`inner` is what a function does when nobody names a thing, the `else` of `if region:`, and `call` names one.

    Args:
        inner: a place in the called function.
        call: a call of that function.
    """
    function = inner.scope
    if not isinstance(function, Function) or _unpacks(call.node):
        return False
    return any(
        context.role == "else"
        and isinstance(context.node, ir.If | ir.Branch)
        and _is_given(context.node.test, function, call.node)
        for context in inner.context
    )


def _unpacks(call: ir.Call) -> bool:
    """`f(*args)`, `f(**options)`: anything may be given."""
    return any(k.arg is None for k in call.keywords) or any(isinstance(a, ir.Starred) for a in call.args)


def _needed(test: ir.Expr) -> Iterator[str]:
    """Names that have to hold something for the test to hold: `p`, `p is not None`, `p and ...`."""
    if isinstance(test, ir.Name):
        yield test.id
    elif isinstance(test, ir.BoolOp) and test.op == "and":
        for value in test.values:
            yield from _needed(value)
    elif isinstance(test, ir.Compare) and test.ops == ["is not"] and _is_nothing(test.comparators[0]):
        yield from _needed(test.left)


def _is_empty(name: str, function: Function, call: ir.Call) -> bool:
    return _holds(name, function, call, _is_nothing)


def _is_given(test: ir.Expr, function: Function, call: ir.Call) -> bool:
    """The test is a parameter, and the call gives it a text, or something that is named like it."""
    if not isinstance(test, ir.Name):
        return False
    name = test.id
    return _holds(name, function, call, lambda given: _is_something(given, name))


def _is_something(expr: ir.Expr | None, name: str) -> bool:
    if isinstance(expr, ir.Constant):
        return expr.kind == "str" and bool(expr.value)
    return isinstance(expr, ir.JoinedStr) or (expr is not None and last_name(expr).endswith(name))


def _holds(name: str, function: Function, call: ir.Call, asked: Callable[[ir.Expr | None], bool]) -> bool:
    """What is asked is true of what the call gives the parameter, which nothing else binds."""
    position = next((i for i, p in enumerate(function.parameters) if p.name == name), None)
    if position is None or len(function.facts.bindings.get(name, ())) != 1:
        return False
    parameter = function.parameters[position]
    bound = function.is_method and isinstance(call.func, ir.Attribute)
    if position < bound:
        return False  # the object itself
    at = position - bound if parameter.kind in ("posonly", "normal") else None
    given = argument(call, at, name)
    return asked(parameter.default if given is None else given)


def _is_nothing(expr: ir.Expr | None) -> bool:
    return isinstance(expr, ir.Constant) and (expr.kind == "none" or expr.value is False)
