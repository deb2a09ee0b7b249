"""What does an expression stand in, and where does a name stand? Read from the body itself, for few
functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import astuple

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.program.definitions import Function, Module
from fastapi_architect.syntax import ir


def nodes_of(scope: Function | Module) -> Iterator[Any]:
    """Every node of a function's own body, or of a module's; those of inner functions are left out."""
    stack: list[Any] = [scope.body]
    while stack:
        current = stack.pop()
        if current.__class__ is list:
            stack += current
        elif isinstance(current, ir.Node):
            yield current
            stack += [v for v in astuple(current) if v.__class__ is list or isinstance(v, ir.Node)]


def mentions_of(scope: Function, name: str) -> int:
    """How often a name stands in a function, inner functions included."""
    own = sum(node.__class__ is ir.Name and node.id == name for node in nodes_of(scope))
    return own + sum(mentions_of(inner, name) for inner in scope.functions)


def parents_of(scope: Function, graph: AppGraph) -> dict[int, Any]:
    """Identity of each node of a body to the node it stands in."""
    return _parents(graph, scope)


@question_about
def _parents(_: AppGraph, scope: Function) -> dict[int, Any]:
    found: dict[int, Any] = {}
    stack: list[Any] = list(scope.body)
    while stack:
        node = stack.pop()
        for value in astuple(node):
            if value.__class__ is list:
                for child in value:
                    if isinstance(child, ir.Node):
                        found[id(child)] = node
                        stack.append(child)
            elif isinstance(value, ir.Node):
                found[id(value)] = node
                stack.append(value)
    return found
