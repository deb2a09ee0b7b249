"""What does an expression stand in, and where does a name stand? Read from the body itself, for few
functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.program.definitions import Function, Module
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import NODE_FIELDS


def nodes_of(scope: Function | Module) -> Iterator[Any]:
    """Every node of a function's own body, or of a module's; those of inner functions are left out."""
    return nodes_in(scope.body)


def nodes_in(statements: list[ir.Stmt]) -> Iterator[Any]:
    """Every node of some statements; those of inner functions are left out."""
    stack: list[Any] = [statements]
    while stack:
        current = stack.pop()
        kind = current.__class__
        if kind is list:
            stack += current
        elif current is not None:
            yield current
            for name in NODE_FIELDS[kind]:
                stack.append(getattr(current, name))


def mentions_of(scope: Function, name: str) -> int:
    """How often a name stands in a function, inner functions included."""
    own = sum(node.__class__ is ir.Name and node.id == name for node in nodes_of(scope))
    return own + sum(mentions_of(inner, name) for inner in scope.functions)


def parents_of(scope: Function, graph: AppGraph) -> dict[int, Any]:
    """Identity of each node of a body to the node it stands in."""
    return _parents(graph, scope)


def behind(statement: ir.Stmt, scope: Function, graph: AppGraph) -> ir.Stmt | None:
    """The statement that follows another in its block; None for the last one."""
    parent = parents_of(scope, graph).get(id(statement))
    blocks = [scope.body] if parent is None else [getattr(parent, name) for name in NODE_FIELDS[type(parent)]]
    for block in blocks:
        if isinstance(block, list):
            following: ir.Stmt | None = next(
                (after for before, after in pairwise(block) if before is statement), None
            )
            if following is not None:
                return following
    return None


@question_about
def _parents(_: AppGraph, scope: Function) -> dict[int, Any]:
    found: dict[int, Any] = {}
    stack: list[Any] = list(scope.body)
    while stack:
        node = stack.pop()
        for name in NODE_FIELDS[node.__class__]:
            value = getattr(node, name)
            below = value if value.__class__ is list else () if value is None else (value,)
            for child in below:
                if child is not None:
                    found[id(child)] = node
                    stack.append(child)
    return found
