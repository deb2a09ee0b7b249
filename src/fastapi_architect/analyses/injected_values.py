"""Who receives what a dependency gives, and does anybody look at it before the request is answered?"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function
from fastapi_architect.syntax import ir

_MAX_DEPTH = 3


class Receiver(msgspec.Struct, frozen=True):
    """One place that a dependency's value goes to.

    Attributes:
        function: the function that declares the dependency; None for `dependencies=[...]`, where the value is dropped.
        parameter: the parameter that receives it, "" when it is dropped.
        operation: the operation that runs it.
    """

    function: Function | None
    parameter: str
    operation: PathOperation


def receivers(graph: AppGraph, function: Function) -> list[Receiver]:
    """Everybody who receives the result of `function` as a dependency."""
    return _receivers(graph).get(id(function), [])


@question
def _receivers(graph: AppGraph) -> dict[int, list[Receiver]]:
    """Receivers by the identity of the function whose result it is."""
    known: dict[int, list[Receiver]] = {}
    for operation in graph.operations:
        for dependency in operation.dependencies:
            own = operation.handler if dependency.level == "parameter" else None
            for each, parent in with_parents(dependency, own):
                if each.function is not None:
                    found = Receiver(parent, each.parameter_name, operation)
                    known.setdefault(id(each.function), []).append(found)
    return known


def with_parents(
    dependency: Dependency, parent: Function | None
) -> Iterator[tuple[Dependency, Function | None]]:
    """A dependency and everything below it, each with the function that receives it."""
    yield dependency, parent
    for child in dependency.dependencies:
        yield from with_parents(child, dependency.function)


def is_tested(graph: AppGraph, function: Function, name: str, depth: int = 0) -> bool:
    """A condition in the function, or in one that it hands the value to, depends on the parameter `name`."""
    facts = function.facts
    tests: tuple[type[ir.Node], ...] = (ir.If, ir.IfExp, ir.While, ir.Assert)
    if any(name in names_read(site.node.test) for kind in tests for site in facts.sites(kind)):
        return True
    for branch in (branch for site in facts.sites(ir.If) for branch in site.node.elifs):
        if name in names_read(branch.test):
            return True
    compared: tuple[type[ir.Node], ...] = (ir.Compare, ir.BoolOp, ir.UnaryOp)
    if any(name in names_read(site.node) for kind in compared for site in facts.sites(kind)):
        return True
    if any(name in names_read(site.node.subject) for site in facts.sites(ir.Match)):
        return True
    return depth < _MAX_DEPTH and any(
        is_tested(graph, target, parameter, depth + 1)
        for target, parameter in _handed_to(graph, function, name)
    )


def is_looked_at(graph: AppGraph, function: Function, name: str) -> bool:
    """The parameter is tested, read into (which fails for None), or handed to a call that may do either."""
    if is_tested(graph, function, name):
        return True
    facts = function.facts
    for kind in (ir.Attribute, ir.Subscript):
        for site in facts.sites(kind):
            value = site.node.value
            if value.__class__ is ir.Name and value.id == name:
                return True
    return any(name in _arguments(site.node) for site in facts.calls)


def is_mentioned(function: Function, name: str) -> bool:
    """The body reads the name anywhere that matters: in a call, a test, a return or an assignment."""
    facts = function.facts
    if any(
        name in names_read(site.node.value) for kind in (ir.Return, ir.Assign) for site in facts.sites(kind)
    ):
        return True
    return any(name in names_read(site.node) for site in facts.calls)


def _handed_to(graph: AppGraph, function: Function, name: str) -> Iterator[tuple[Function, str]]:
    for site in function.facts.calls:
        if name not in _arguments(site.node):
            continue
        for target in graph.program.calls.targets(site):
            names = [p.name for p in target.parameters][1 if target.is_method else 0 :]
            for position, parameter in enumerate(names):
                given = argument(site.node, position, parameter)
                if given.__class__ is ir.Name and given.id == name:
                    yield target, parameter


def _arguments(call: ir.Call) -> set[str]:
    found: set[str] = set()
    for given in (*call.args, *(k.value for k in call.keywords)):
        found |= names_read(given)
    return found


def names_read(expr: ir.Expr | None) -> set[str]:
    """Names that an expression reads, at any depth."""
    found: set[str] = set()
    stack: list[object] = [expr]
    while stack:
        current = stack.pop()
        if isinstance(current, ir.Name):
            found.add(current.id)
        elif isinstance(current, list):
            stack += current
        elif isinstance(current, ir.Keyword):
            stack.append(current.value)
        elif isinstance(current, ir.Node) and not isinstance(current, ir.Param):
            stack += [getattr(current, field) for field in current.__struct_fields__ if field != "span"]
    return found
