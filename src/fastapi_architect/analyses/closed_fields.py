"""Which fields of a model can only hold values of a list that stands in the code?

A validator refuses what is not in the list. The list may be an attribute that subclasses set: `sortable_fields = []` in
a base class of parameters, filled for each listing, so the class that the operation declares decides.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.program.definitions import Class, Function, dotted_name
from fastapi_architect.syntax import ir


def is_closed(cls: Class, field: str, graph: AppGraph) -> bool:
    """A validator of `field` raises for every value that a list, known and not empty for this class, does not hold."""
    schema = schema_of(cls, graph)
    if schema is None:
        return False
    return any(
        validator.function is not None
        and any(_is_known(listed, cls, validator.function, graph) for listed in _lists(validator.function))
        for validator in schema.validators_of(field)
    )


def _lists(function: Function) -> Iterator[ir.Expr]:
    """What stands on the right of `if value not in ...: raise`."""
    for site in function.facts.sites(ir.If):
        if not any(isinstance(statement, ir.Raise) for statement in site.node.body):
            continue
        for test in _deciding(site.node.test):
            if isinstance(test, ir.Compare) and test.ops == ["not in"]:
                yield test.comparators[0]


def _deciding(test: ir.Expr) -> Iterator[ir.Expr]:
    """Parts of a test each of which alone makes it true; `value and ...` lets only an empty value pass."""
    if not isinstance(test, ir.BoolOp):
        yield test
    elif test.op == "or":
        for part in test.values:
            yield from _deciding(part)
    elif len(test.values) == 2 and _asks_whether_given(test.values[0]):
        yield from _deciding(test.values[1])


def _asks_whether_given(test: ir.Expr) -> bool:
    """`value` or `value is not None`."""
    return isinstance(test, ir.Name) or (
        isinstance(test, ir.Compare) and test.ops == ["is not"] and isinstance(test.left, ir.Name)
    )


def _is_known(listed: ir.Expr, cls: Class, function: Function, graph: AppGraph) -> bool:
    """The list is a constant, or an attribute that is one for the class itself."""
    if isinstance(listed, ir.Attribute) and dotted_name(listed.value) in ("cls", "self"):
        return _is_filled_in(cls, listed.attr, graph)
    return _is_filled(graph.program.constants.value(listed, function))


def _is_filled_in(cls: Class, name: str, graph: AppGraph) -> bool:
    """The first class of the resolution order that sets the attribute gives it a list of constants."""
    for ancestor in graph.program.inference.hierarchy.order(cls):
        bindings = ancestor.cls.facts.bindings.get(name) if isinstance(ancestor.cls, Class) else None
        if bindings and isinstance(ancestor.cls, Class):
            return _is_filled(graph.program.constants.value(bindings[-1].value, ancestor.cls))
    return False


def _is_filled(value: object) -> bool:
    return (
        isinstance(value, list | tuple | set | frozenset | dict)
        and bool(value)
        and all(isinstance(each, str) for each in value)
    )
