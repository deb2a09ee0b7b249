"""Where does a text choose which function or task runs?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.assigned_once import assigned_once
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.concepts.messaging import Enqueue
from fastapi_architect.concepts.process import DynamicAttribute
from fastapi_architect.program.definitions import Scope, last_name
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

_NAMESPACES = ("globals", "locals", "vars")


class ChosenCallable(msgspec.Struct, frozen=True, eq=False):
    """A call of something that is looked up by name.

    Attributes:
        kind: task (sent by name), attribute (`getattr(x, name)()`) or namespace (`globals()[name]()`).
        choice: the expression that names it.
        scope: the body it stands in.
        node: the call.
        sure: False when it was recognised by the receiver's name alone.
        among: what it is looked up in, as written; None for a task.
    """

    kind: str
    choice: ir.Expr
    scope: Scope
    node: ir.Call
    sure: bool = True
    among: ir.Expr | None = None

    @property
    def location(self) -> Location:
        """Where."""
        return self.scope.location(self.node)


def chosen_callables(graph: AppGraph) -> Iterator[ChosenCallable]:
    """All of them whose name is not written down, in order of kinds."""
    for sent in graph.facts(Enqueue):
        choice = sent.task_name
        if choice is None and sent.task.__class__ is ir.Subscript and last_name(sent.task.value) == "tasks":
            choice = sent.task.slice
        if choice is not None and not _is_narrowed(choice, sent.scope):
            yield ChosenCallable("task", choice, sent.scope, sent.node, sent.sure)
    for read in graph.facts(DynamicAttribute):
        if read.kind != "get" or read.attribute is None:
            continue
        if not _is_narrowed(read.attribute, read.scope) and _is_called(read.node, read.scope):
            yield ChosenCallable("attribute", read.attribute, read.scope, read.node, read.sure, read.target)
    for name in _NAMESPACES:
        for site in graph.program.call_sites_named(name):
            yield from _of_namespace(site.node, site.scope)


def _is_narrowed(choice: Any, scope: Scope) -> bool:
    """A constant, or a text with a fixed beginning or end: `f"handle_{kind}"` can only be one of the handlers."""
    choice = assigned_once(choice, scope)
    if choice.__class__ is ir.JoinedStr:
        return any(part.__class__ is ir.Constant for part in (choice.values[:1] + choice.values[-1:]))
    if choice.__class__ is ir.BinOp:
        return _is_narrowed(choice.left, scope) or _is_narrowed(choice.right, scope)
    return choice.__class__ is ir.Constant


def _is_called(node: ir.Call, scope: Scope) -> bool:
    """The result is called, at once or through the variable that it is assigned to."""
    names = {
        name
        for name, bindings in scope.facts.bindings.items()
        if any(binding.value is node for binding in bindings)
    }
    for site in scope.facts.calls:
        func: Any = site.node.func
        if func is node or (func.__class__ is ir.Name and func.id in names):
            return True
    return False


def _of_namespace(node: ir.Call, scope: Scope) -> Iterator[ChosenCallable]:
    for site in scope.facts.calls:
        func: Any = site.node.func
        if func.__class__ is ir.Subscript and func.value is node and not _is_narrowed(func.slice, scope):
            yield ChosenCallable("namespace", func.slice, scope, site.node, among=node)
