"""Which assignments of a name may be the ones that a place reads."""

from __future__ import annotations

from typing import Any

import msgspec

from fastapi_architect.dataflow.control_flow_graph import ControlFlowGraph, Element
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir


class Definition(msgspec.Struct, frozen=True, eq=False):
    """A name gets a value: at an element, or as a parameter (`element` is then the `ir.Param`)."""

    name: str
    element: Element


class ReachingDefinitions:
    """Solved once for a flow graph, as bit sets."""

    def __init__(self, graph: ControlFlowGraph) -> None:
        self.graph = graph
        self.definitions: list[Definition] = []
        self._of_name: dict[str, int] = {}
        self._at: dict[int, list[int]] = {}
        parameters = 0
        for param in graph.function.parameters:
            parameters |= 1 << self._define(param.name, param)
        for block in graph.blocks:
            for element in block.elements:
                if id(element) not in self._at:
                    self._at[id(element)] = [self._define(name, element) for name in bound_names(element)]
        self._entering = self._solve(parameters)

    def _define(self, name: str, element: Element) -> int:
        number = len(self.definitions)
        self.definitions.append(Definition(name, element))
        self._of_name[name] = self._of_name.get(name, 0) | (1 << number)
        return number

    def _through(self, reaching: int, elements: list[Element]) -> int:
        for element in elements:
            for number in self._at[id(element)]:
                reaching = (reaching & ~self._of_name[self.definitions[number].name]) | (1 << number)
        return reaching

    def _solve(self, parameters: int) -> dict[int, int]:
        graph = self.graph
        order = graph.reverse_postorder()
        entering = dict.fromkeys(order, 0)
        entering[graph.entry] = parameters
        changed = True
        while changed:
            changed = False
            for index in order:
                block = graph.blocks[index]
                leaving = self._through(entering[index], block.elements)
                for edge in block.successors:
                    # An exception leaves before the block's one statement is done.
                    flowing = entering[index] if edge.kind == "exception" else leaving
                    if flowing & ~entering[edge.target]:
                        entering[edge.target] |= flowing
                        changed = True
        return entering

    def at(self, site: Site, name: str) -> list[Definition]:
        """Definitions of `name` that may reach the place of `site`, in order; none when nothing leads there."""
        reaching = 0
        for block, position in self.graph.places_of(site):
            if block in self._entering:
                elements = self.graph.blocks[block].elements[:position]
                reaching |= self._through(self._entering[block], elements)
        reaching &= self._of_name.get(name, 0)
        return [each for number, each in enumerate(self.definitions) if reaching >> number & 1]


def bound_names(element: Any) -> list[str]:
    """Names that an element binds itself; a walrus counts, inner functions bind their own name only."""
    found: list[str] = []
    kind = element.__class__
    if kind is ir.Assign:
        for target in element.targets:
            _target_names(target, found)
    elif (
        kind in (ir.AugAssign, ir.For)
        or (kind is ir.AnnAssign and element.value is not None)
        or (kind is ir.WithItem and element.target is not None)
    ):
        _target_names(element.target, found)
    elif kind is ir.Delete:
        for target in element.targets:
            _target_names(target, found)
    elif kind is ir.Handler and element.name is not None:
        found.append(element.name)
    elif kind is ir.Case:
        found += element.captures
    elif kind in (ir.FunctionDef, ir.ClassDef):
        found.append(element.name)
    elif kind in (ir.Import, ir.ImportFrom):
        found += [name.asname or name.name.partition(".")[0] for name in element.names]
    if kind not in (ir.For, ir.Handler, ir.Case, ir.FunctionDef, ir.ClassDef):
        _walrus_names(element, found)
    return found


def _target_names(target: Any, found: list[str]) -> None:
    kind = target.__class__
    if kind is ir.Name:
        found.append(target.id)
    elif kind is ir.Sequence:
        for element in target.elts:
            _target_names(element, found)
    elif kind is ir.Starred:
        _target_names(target.value, found)


def _walrus_names(node: Any, found: list[str]) -> None:
    stack: list[Any] = [node]
    while stack:
        current = stack.pop()
        if current.__class__ is list:
            stack += reversed(current)
        elif isinstance(current, ir.Node) and current.__class__ is not ir.Lambda:
            if current.__class__ is ir.NamedExpr:
                _target_names(current.target, found)
            stack += [getattr(current, name) for name in current.__struct_fields__ if name != "span"]
