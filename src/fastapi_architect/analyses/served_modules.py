"""Is a module part of what serves requests or runs tasks, or is it a script beside it?"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.run_by_hand import is_run_by_hand
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.definitions import Function, Module, Scope
from fastapi_architect.syntax import ir

#: Modules that are imported inside functions are looked for in functions of modules up to this many in
#: number.
_MAX_MODULES_IN_DEPTH = 4000


def is_served(scope: Scope, graph: AppGraph) -> bool:
    """An application or a task imports the module of `scope`, through any number of modules, or calls the
    function.
    """
    if scope.module.path in _served(graph):
        return True
    return isinstance(scope, Function) and bool(graph.entries(scope))


def is_script(module: Module, graph: AppGraph) -> bool:
    """A file in a folder of scripts that somebody starts by hand, and that neither application nor task imports."""
    return (
        is_run_by_hand(module)
        and module.path not in _served(graph)
        and any(statement.__class__ is ir.If and _asks_for_main(statement) for statement in module.body)
    )


def _asks_for_main(statement: ir.If) -> bool:
    """`if __name__ == "__main__":`"""
    test = statement.test
    return isinstance(test, ir.Compare) and any(
        isinstance(side, ir.Name) and side.id == "__name__" for side in (test.left, *test.comparators)
    )


@question
def _served(graph: AppGraph) -> frozenset[str]:
    return frozenset(_reach(graph))


def _reach(graph: AppGraph) -> Iterator[str]:
    roots = [a.scope.module for a in graph.applications]
    roots += [o.handler.module for o in graph.operations if o.handler is not None]
    roots += [task.function.module for task in graph.tasks if task.function is not None]
    seen: set[str] = set()
    queue = list(roots)
    while queue:
        module = queue.pop()
        if module.path in seen:
            continue
        seen.add(module.path)
        yield module.path
        if len(seen) < _MAX_MODULES_IN_DEPTH:
            queue += _imported(module, graph)


def _imported(module: Module, graph: AppGraph) -> Iterator[Module]:
    program = graph.program
    seen: dict[str, Module | str | None] = {}
    for bindings in module.facts.bindings.values():
        for binding in bindings:
            if binding.kind not in ("import", "from"):
                continue
            if binding.target not in seen:
                seen[binding.target] = program.module_of(module, binding.target)
                target = seen[binding.target]
                if isinstance(target, Module):
                    yield target
            found = seen[binding.target]
            if binding.kind == "from" and found is not None:
                inner = program.submodule(found, binding.attribute)
                if isinstance(inner, Module):
                    yield inner
