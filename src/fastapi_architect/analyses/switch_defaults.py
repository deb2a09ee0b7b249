"""What does a test of settings come to where nobody has set anything?

`if settings.debug:` with `debug: bool = False`, `if ENVIRONMENT != "production":` with `os.getenv("ENVIRONMENT", "dev")`.
"""

from __future__ import annotations

from typing import Any

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Scope, dotted_name, last_name
from fastapi_architect.program.types import Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

#: Ways to read a variable that give None where it is not set.
_READS_OR_NONE = frozenset({"os.getenv", "os.environ.get", "getenv", "environ.get"})
_MAKES_BOOL = lazy_pattern(r"(?i)^(bool|(str\w*|to|as|parse|env)_?(to_?)?bool(ean)?|is_true|is_truthy)$")
_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})


def holds_by_default(graph: AppGraph, test: ir.Expr, scope: Scope) -> bool | None:
    """Whether a test is true where every setting has its default; None when that is not known.

    Args:
        graph: the backend.
        test: the condition of an `if`.
        scope: the body it stands in.
    """
    value = _value(graph, test, scope)
    # An empty collection is filled later; a setting is a text, a number or a flag.
    return bool(value) if value is None or isinstance(value, str | int | float) else None


def _value(graph: AppGraph, expr: Any, scope: Scope) -> Any:
    kind = expr.__class__
    if kind is ir.UnaryOp and expr.op == "not":
        value = _value(graph, expr.operand, scope)
        return UNKNOWN if value is UNKNOWN else not value
    if kind is ir.BoolOp:
        return _combined(graph, expr, scope)
    if kind is ir.Compare and len(expr.ops) == 1:
        return _compared(graph, expr, scope)
    if kind is ir.Attribute:
        found = _of_setting(graph, expr, scope)
        if found is not UNKNOWN:
            return found
    if (
        kind is ir.Call
        and isinstance(expr.func, ir.Attribute)
        and expr.func.attr in ("lower", "upper", "strip")
    ):
        value = _value(graph, expr.func.value, scope)
        return getattr(value, expr.func.attr)() if isinstance(value, str) else UNKNOWN
    if kind is ir.Call:
        read = _of_call(graph, expr, scope)
        if read is not UNKNOWN:
            return read
    value = graph.program.constants.value(expr, scope)
    if value is UNKNOWN and kind is ir.Name:
        made, where = graph.program.inference.expand(expr, scope)
        return UNKNOWN if made is expr or made.__class__ is ir.Name else _value(graph, made, where)
    return value


def _of_call(graph: AppGraph, call: ir.Call, scope: Scope) -> Any:
    """`os.getenv("DEBUG")` without a default, and what makes a truth value of a text."""
    given = call.args[0] if len(call.args) == 1 and not call.keywords else None
    if given is None:
        return UNKNOWN
    if dotted_name(call.func) in _READS_OR_NONE:
        return None
    if not _MAKES_BOOL.search(last_name(call.func)):
        return UNKNOWN
    value = _value(graph, given, scope)
    if value is UNKNOWN or last_name(call.func) == "bool":
        return value if value is UNKNOWN else bool(value)
    return value.strip().lower() in _TRUE if isinstance(value, str) else bool(value)


def _combined(graph: AppGraph, expr: ir.BoolOp, scope: Scope) -> Any:
    """One side decides where it is false (`and`) or true (`or`), whatever is not known of the others."""
    values = [_value(graph, each, scope) for each in expr.values]
    decisive = expr.op == "or"
    if any(value is not UNKNOWN and bool(value) == decisive for value in values):
        return decisive
    return UNKNOWN if any(value is UNKNOWN for value in values) else not decisive


def _compared(graph: AppGraph, expr: ir.Compare, scope: Scope) -> Any:
    left = _value(graph, expr.left, scope)
    right = _value(graph, expr.comparators[0], scope)
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    op = expr.ops[0]
    if op in ("==", "!=", "is", "is not"):
        return (left == right) == (op in ("==", "is"))
    if op in ("in", "not in") and isinstance(right, str | list | tuple | set | frozenset | dict):
        return (
            (left in right) == (op == "in")
            if isinstance(left, str) or not isinstance(right, str)
            else UNKNOWN
        )
    return UNKNOWN


def _of_setting(graph: AppGraph, expr: ir.Attribute, scope: Scope) -> Any:
    """The default of a field of a settings class."""
    known = _settings(graph)
    for of in options(graph.program.inference.type_of(expr.value, scope)):
        setting = known.get((id(of.cls), expr.attr)) if isinstance(of, Instance) else None
        if setting is not None and not setting.required:
            return setting.value
    return UNKNOWN


@question
def _settings(graph: AppGraph) -> dict[tuple[int, str], Any]:
    """Settings by the identity of their class and their name; a subclass has those it inherits."""
    return {(id(each.cls), s.name): s for each in graph.settings.classes for s in each.settings}
