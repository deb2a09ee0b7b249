"""Which texts that others write are read as reStructuredText that may include files of the server?

`.. include:: /etc/passwd` puts a file into the text, and `.. csv-table::` and `.. raw::` do with `:file:`. docutils allows it
unless `file_insertion_enabled` is off.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.template import MarkupReading
from fastapi_architect.dataflow.access_path import access_path, written
from fastapi_architect.dataflow.derived_values import computed_from
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.program.facts import runs_as_script
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

_MAX_DEPTH = 4
_SETTING = "file_insertion_enabled"
#: Names of texts that stand in the program.
_OWN = lazy_pattern(r"(^|_)(doc|docs|docstring|readme|changelog|help|usage)(_|$)")


class IncludingText(msgspec.Struct, frozen=True, eq=False):
    """A text that may include files.

    Attributes:
        reading: the call that reads it.
        name: the text in the reader's terms.
        is_given: a function is given it; otherwise it is an attribute, whose origin is not known.
    """

    reading: MarkupReading
    name: str
    is_given: bool


@question
def including_texts(graph: AppGraph) -> tuple[IncludingText, ...]:
    """Texts from outside of their function that are read with file insertion on, in order of places."""
    found = []
    for reading in graph.facts(MarkupReading):
        if reading.scope.module.kind != "source" or runs_as_script(reading.site):
            continue
        if _may_include(reading, graph):
            text = _from_outside(reading.source, reading.scope, graph, 0)
            path = access_path(text) if text is not None else None
            if path is not None:
                found.append(IncludingText(reading, written(path), text.__class__ is ir.Name))
    return tuple(found)


def _may_include(reading: MarkupReading, graph: AppGraph) -> bool:
    """Nothing says `file_insertion_enabled`, as far as the settings are written down."""
    overrides: Any = reading.overrides
    if reading.settings is not None:
        return False
    if overrides is None:
        return True
    scope = reading.scope
    if overrides.__class__ is ir.Name:
        if any(_names_setting(site.node.slice) for site in scope.facts.sites(ir.Subscript)):
            return False
        overrides, scope = graph.program.inference.expand(overrides, scope)
    if overrides.__class__ is not ir.Dict or any(key is None for key in overrides.keys):
        return False
    for key, value in zip(overrides.keys, overrides.values, strict=True):
        if _names_setting(key):
            return bool(value.__class__ is ir.Constant and value.value)
    return True


def _names_setting(key: Any) -> bool:
    return key.__class__ is ir.Constant and key.value == _SETTING


def _from_outside(expr: Any, scope: Scope, graph: AppGraph, depth: int) -> Any:
    """The parameter or attribute that a text is made of; None for what stands in the program or in its files."""
    kind = expr.__class__
    if depth > _MAX_DEPTH:
        return None
    if kind is ir.Name:
        binding = computed_from(expr.id, scope)
        if binding is not None:
            return _from_outside(binding.value, scope, graph, depth + 1)
        return expr if _is_given(expr.id, scope, graph, depth) else None
    if kind is ir.Attribute:
        return None if expr.attr.startswith("_") or _OWN.search(expr.attr.lower()) else expr
    found = (_from_outside(part, scope, graph, depth + 1) for part in _parts(expr))
    return next((text for text in found if text is not None), None)


def _parts(expr: Any) -> list[Any]:
    """What a text is made of; of calls their arguments, and the text whose method they are."""
    kind = expr.__class__
    if kind is ir.Call:
        if last_name(expr.func) in ("read", "read_text", "getdoc", "render_template"):
            return []
        receiver = [expr.func.value] if _is_text_method(expr.func) else []
        return [*receiver, *expr.args]
    if kind is ir.BinOp:
        return [expr.left, expr.right]
    if kind is ir.Chain:
        return list(expr.operands)
    if kind is ir.JoinedStr:
        return [part.value for part in expr.values if part.__class__ is ir.FormattedValue]
    if kind is ir.BoolOp:
        return list(expr.values)
    return [expr.value] if kind is ir.Await else []


def _is_text_method(func: Any) -> bool:
    return func.__class__ is ir.Attribute and hasattr(str, func.attr)


def _is_given(name: str, scope: Scope, graph: AppGraph, depth: int) -> bool:
    """A parameter that not every known caller takes from the program."""
    if not isinstance(scope, Function) or scope.parameter(name) is None or _OWN.search(name.lower()):
        return False
    names = [parameter.name for parameter in scope.parameters[scope.is_method :]]
    position = names.index(name) if name in names else None
    given = [(argument(site.node, position, name), site.scope) for site in graph.program.calls.callers(scope)]
    return not given or any(
        _from_outside(value, where, graph, depth + 1) is not None
        for value, where in given
        if value is not None
    )
