"""Functions that no code outside the tests names: neither called nor handed on, so they never run.

Asked only where no call was found. What a library may call by itself (an override, a decorated function, a dunder)
what may be looked up by its name (`getattr(self, f"handle_{kind}")`) and the methods of a class that nobody names either
(a plug-in that somebody loads) do not count as dead.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.surroundings import nodes_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.program.definitions import Function, Module, all_functions, last_name
from fastapi_architect.syntax import ir

#: Ancestors that call no methods of their own accord.
_PASSIVE = frozenset(
    {
        "builtins.object",
        "abc.ABC",
        "typing.Generic",
        "typing.Protocol",
        "pydantic.BaseModel",
        "pydantic.main.BaseModel",
    }
)
_PLAIN_DECORATORS = ("staticmethod", "classmethod")


@question_about
def is_never_named(graph: AppGraph, function: Function) -> bool:
    """Nothing in code that is no test mentions the function, by name or in a text."""
    return _is_plain(function, graph) and not _is_named(function, graph)


def _is_plain(function: Function, graph: AppGraph) -> bool:
    """No library and no decorator runs it: only code that names it does."""
    if function.name.startswith("__") or isinstance(function.parent, Function):
        return False
    if any(last_name(decorator) not in _PLAIN_DECORATORS for decorator in function.node.decorators):
        return False
    if function.owner is None:
        return True
    if not _is_mentioned(function.owner.name, function.module, graph):
        return False
    order = graph.program.inference.hierarchy.order(function.owner)
    return all(not isinstance(each.cls, str) or each.cls in _PASSIVE for each in order)


def _is_named(function: Function, graph: AppGraph) -> bool:
    return _is_mentioned(function.name, function.module, graph) or _is_looked_up(function)


def _is_mentioned(name: str, home: Module, graph: AppGraph) -> bool:
    """Code outside the tests has the name, beside its definition in the module `home`."""
    return any(
        module.kind != "test" and (module is not home or _names(module, name))
        for module in graph.program.mentioning(name)
    )


def _names(module: Module, name: str) -> bool:
    return any(
        (node.__class__ is ir.Name and node.id == name)
        or (node.__class__ is ir.Attribute and node.attr == name)
        for node in _nodes(module)
    )


def _is_looked_up(function: Function) -> bool:
    """A text of the module holds the name, or begins as it does."""
    for node in _nodes(function.module):
        if node.__class__ is ir.Constant and node.kind == "str" and function.name in str(node.value):
            return True
        if node.__class__ is ir.JoinedStr and node.values and node.values[0].__class__ is ir.Constant:
            prefix = str(node.values[0].value)
            if len(prefix) > 2 and function.name.startswith(prefix):
                return True
    return False


def _nodes(module: Module) -> Iterator[ir.Node]:
    yield from nodes_of(module)
    for function in all_functions(module):
        yield from nodes_of(function)
