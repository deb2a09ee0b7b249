"""Which functions are started with arguments that stand beside them: `target=work, args=(url,)`?

Threads and processes take them so, and so do task managers that programs write themselves. Where one of these runs the
function with something in front (`self.target(self, *self.args)`), the arguments move back by as much.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.concepts.concurrency import ThreadStart
from fastapi_architect.dataflow.taint import Sending
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, Module, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import FunctionRef, options
from fastapi_architect.syntax import ir

_TARGET = "target"
_ARGS = "args"


def started_functions(graph: AppGraph) -> Iterator[Sending]:
    """Functions that are handed to a thread, a process or a task manager of the program, with what they are given."""
    for start in graph.facts(ThreadStart):
        yield from _sendings(start.site, start.target, argument(start.node, None, _ARGS), 0, graph)
    for manager, target, args in _managers(graph):
        in_front = _given_in_front(manager.module)
        for site in graph.program.calls.callers(manager):
            given = [argument(site.node, position, name) for position, name in (target, args)]
            yield from _sendings(site, given[0], given[1], in_front, graph)


_Place = tuple[int, str]


def _managers(graph: AppGraph) -> Iterator[tuple[Function, _Place, _Place]]:
    """Functions that take a function and its arguments under these names, with the positions of both."""
    modules = {id(m) for m in graph.program.mentioning(_TARGET) if m.mentions(_ARGS) and m.kind == "source"}
    for function in graph.program.functions if modules else ():
        if id(function.module) in modules and function.parameter(_TARGET) is not None:
            names = [parameter.name for parameter in function.parameters[function.is_method :]]
            if _ARGS in names and _TARGET in names and function.name != "__init__":
                yield function, (names.index(_TARGET), _TARGET), (names.index(_ARGS), _ARGS)


def _given_in_front(module: Module) -> int:
    """How many arguments the module puts in front of those that it was given, where it calls the function."""
    functions = [*module.functions, *(method for cls in module.classes for method in cls.functions)]
    for function in functions:
        if _TARGET in function.node.called:
            for site in function.facts.calls_named(_TARGET):
                stars = [n for n, each in enumerate(site.node.args) if each.__class__ is ir.Starred]
                if stars and last_name(site.node.args[stars[0]].value) == _ARGS:
                    return stars[0]
    return 0


def _sendings(site: Site, target: Any, args: Any, in_front: int, graph: AppGraph) -> Iterator[Sending]:
    if args.__class__ is not ir.Sequence or not isinstance(site.scope, Function) or target is None:
        return
    if any(each.__class__ is ir.Starred for each in args.elts):
        return
    for of in options(graph.program.inference.type_of(target, site.scope)):
        if isinstance(of, FunctionRef):
            function = of.function
            bound = in_front + (function.is_method and of.receiver is not None)
            names = [p.name for p in function.parameters if p.kind in ("posonly", "normal")][bound:]
            given = tuple(zip(names, args.elts, strict=False))
            if given:
                yield Sending(function, site.scope, site.node, given)
