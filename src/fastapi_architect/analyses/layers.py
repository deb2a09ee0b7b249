"""Which layer a module belongs to, and whether the project keeps its business logic in a layer of its own.

A module's layer is told by its name or by the nearest folder that has one of the customary names; a module that
registers operations is a router whatever it is called.
"""

from __future__ import annotations

import re
from functools import cached_property

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.definitions import Function, Module
from fastapi_architect.source.lazy_pattern import lazy_pattern

#: Layers by customary names, the singular and the plural of each.
_CUSTOMARY = (
    ("service", r"services?|use_?cases?|interactors?|business|domain"),
    ("repository", r"repositor(y|ies)|repos?|cruds?|daos?|stores?|selectors?|queries"),
    ("model", r"models?|entit(y|ies)|tables"),
    ("schema", r"schemas?|dtos?|serializers?"),
    ("router", r"routers?|routes|endpoints?|controllers?"),
    ("settings", r"settings?|config(s|uration)?|conf|environment|env|constants?"),
)
_PART = tuple((layer, lazy_pattern(rf"(.*_)?({names})", re.IGNORECASE)) for layer, names in _CUSTOMARY)

#: Layers that hold what routes should not decide themselves.
LOGIC = frozenset({"service", "repository"})


class Layers:
    """Layers of one graph."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._by_part: dict[str, str] = {}

    @cached_property
    def _routers(self) -> frozenset[str]:
        handlers = (o.handler for o in self._graph.operations if o.handler is not None)
        return frozenset(handler.module.path for handler in handlers)

    def registers(self, module: Module) -> bool:
        """Handlers of operations stand in the module."""
        return module.path in self._routers

    def of(self, module: Module) -> str:
        """service, repository, model, schema, router or settings; "" when nothing tells."""
        if self.registers(module):
            return "router"
        return next(filter(None, map(self._of_part, reversed(module.name.split(".")))), "")

    def _of_part(self, part: str) -> str:
        """What a folder or file of that name holds; few names stand in many modules."""
        known = self._by_part.get(part)
        if known is None:
            found = (layer for layer, pattern in _PART if pattern.fullmatch(part))
            known = self._by_part[part] = next(found, "")
        return known

    @cached_property
    def operations_by_layer(self) -> tuple[PathOperation, ...]:
        """Operations whose handler calls a function of a service or repository module."""
        return tuple(
            o for o in self._graph.operations if o.handler is not None and self._delegates(o.handler)
        )

    def _delegates(self, handler: Function) -> bool:
        calls = self._graph.program.calls
        for site in handler.facts.calls:
            for target in calls.targets(site):
                if target.module is not handler.module and self.of(target.module) in LOGIC:
                    return True
        return False


@question
def layers(graph: AppGraph) -> Layers:
    """The layers of a graph; one for each graph, so that what rules ask is computed once."""
    return Layers(graph)
