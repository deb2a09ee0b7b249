"""Which loops run a place once for each element, because a value at the place is the element, or comes from it?

`for order in orders: describe(order)` runs what stands in `describe` once for each order. A loop that only repeats (a
retry, a page, an attempt) hands nothing over and is not among the answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.callers import Callers
from fastapi_architect.analyses.followed_values import Place, callers, is_bound, receiver
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Binding, Function, Scope, last_name
from fastapi_architect.program.facts import Context, Site
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Calls between the loop and the place.
_MAX_HOPS = 3
_MAX_CALLERS = 12
_NOT_THERE = lazy_pattern(
    r"^(Key|Lookup|Index|Attribute)Error$|NotFound|NotExist|NoResult|Miss|^StopIteration$"
)
_BODIES = {"if": "body", "else": "orelse", "loop": "body", "try": "body", "with": "body", "handler": "body"}


class Round(msgspec.Struct, frozen=True, eq=False):
    """A loop whose element a value at the place is, or comes from.

    Attributes:
        loop: the `for` or comprehension.
        over: what is looped over.
        name: the loop's variable.
        path: positions by which the element is taken apart for the variable.
        scope: the body the loop stands in.
        hops: calls from the loop to the place, the first in the loop; empty when the place stands in the loop itself.
        inner: the place inside the loop: the first of the hops, or the place itself.
    """

    loop: ir.For | ir.Comprehension
    over: ir.Expr
    name: str
    path: tuple[int, ...]
    scope: Scope
    hops: tuple[Site, ...]
    inner: Site

    @property
    def place(self) -> Place:
        """Where what is looped over is read."""
        return Place(self.scope)

    @property
    def site(self) -> Site:
        """The loop as a place for messages."""
        return Site(self.over, self.inner.context, self.inner.statement, self.scope)


def roots(expr: ir.Expr | None) -> set[str]:
    """Names whose values an expression is made of, those that are only called left out."""
    found: set[str] = set()
    called = {id(node.func) for node in walk(expr) if isinstance(node, ir.Call)}
    for node in walk(expr):
        if isinstance(node, ir.Name) and id(node) not in called:
            found.add(node.id)
    return found


def rounds(graph: AppGraph, names: Iterable[str], site: Site) -> list[Round]:
    """Loops that run `site` once for each element, because one of the names at it stands for the element."""
    if fails(site) or not may_repeat(graph, site):
        return []
    found = _Search(graph)
    for name in sorted(names):
        found.search(name, site, ())
    return found.rounds


def may_repeat(graph: AppGraph, site: Site) -> bool:
    """A loop stands around the place, or around a call that leads to it."""
    return site.loops > 0 or (
        isinstance(site.scope, Function) and _is_repeated(graph, (site.scope, _MAX_HOPS))
    )


@question_about
def _is_repeated(graph: AppGraph, function_and_hops: tuple[Function, int]) -> bool:
    function, hops = function_and_hops
    if function.owner is not None and function.has_decorator(
        "property", "cached_property", "hybrid_property"
    ):
        return True  # who reads it is found when somebody needs to know
    for site in callers(graph, function):
        if site.loops > 0:
            return True
        if hops > 1 and isinstance(site.scope, Function) and _is_repeated(graph, (site.scope, hops - 1)):
            return True
    return False


@question
def _callers(graph: AppGraph) -> Callers:
    return Callers(graph)


class _Search:
    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._seen: set[tuple[int, str, int]] = set()
        self.rounds: list[Round] = []

    def search(self, name: str, site: Site, hops: tuple[Site, ...]) -> None:
        key = (id(site.scope), name, id(site.node))
        if key in self._seen:
            return
        self._seen.add(key)
        for binding in site.scope.facts.bindings.get(name, ()):
            self._binding(name, binding, site, hops)

    def _binding(self, name: str, binding: Binding, site: Site, hops: tuple[Site, ...]) -> None:
        if binding.kind in ("loop", "comprehension"):
            loop: Any = binding.node
            around = next(
                (c for c in site.context if c.node is loop and c.role in ("loop", "comprehension")), None
            )
            if around is not None and binding.value is not None and not _runs_once(site, loop):
                self.rounds.append(Round(loop, binding.value, name, binding.path, site.scope, hops, site))
        elif binding.kind in ("assign", "annotated", "walrus") and binding.value is not None:
            if site.loops and not isinstance(binding.value, ir.Comprehension):
                for root in sorted(roots(binding.value) - {name}):
                    self.search(root, site, hops)
        elif binding.kind == "parameter" and len(hops) < _MAX_HOPS and isinstance(site.scope, Function):
            for given, calling in self._given(binding.node, site.scope):
                for root in sorted(roots(given)):
                    self.search(root, calling, (calling, *hops))

    def _given(self, param: Any, function: Function) -> Iterator[tuple[ir.Expr, Site]]:
        position = function.parameters.index(param)
        if function.is_method and position == 0:
            yield from self._receivers(function)
            return
        for site in callers(self._graph, function)[:_MAX_CALLERS]:
            if site.context.inside("lambda") is not None or fails(site):
                continue
            index = position - (1 if is_bound(function, site) else 0)
            given = argument(site.node, index if param.kind in ("posonly", "normal") else None, param.name)
            if given is not None:
                yield given, site

    def _receivers(self, function: Function) -> Iterator[tuple[ir.Expr, Site]]:
        """`order.total` and `order.total()` where `total` reads the relationship of `self`."""
        for site in _callers(self._graph).sites(function)[:_MAX_CALLERS]:
            owner = receiver(site)
            if owner is not None and site.scope.module.kind == "source":
                yield owner, site


def fails(site: Site) -> bool:
    """It stands where something has gone wrong: in an `except`, or before a `raise` of its block."""
    if any(c.role == "handler" and not _is_lookup(c.node) for c in site.context):
        return True
    for context in site.context:
        if context.role == "handler":
            return True
        block = getattr(context.node, _BODIES.get(context.role, ""), None)
        last = block[-1] if isinstance(block, list) and block else site.statement
        if isinstance(last, ir.Raise):
            return True
        if context.role in ("loop", "comprehension"):
            return False
    return False


def _is_lookup(handler: Any) -> bool:
    """`except KeyError`: nothing has gone wrong, something is just not there yet."""
    types = handler.type.elts if isinstance(handler.type, ir.Sequence) else (handler.type,)
    return any(_NOT_THERE.search(last_name(each)) for each in types if each is not None)


def skips_round(site: Site) -> bool:
    """It stands in a branch that ends its round early: what is left out, as a rule."""
    for context in site.context:
        if context.role in ("loop", "comprehension"):
            return False
        block = getattr(context.node, _BODIES.get(context.role, ""), None)
        last = block[-1] if isinstance(block, list) and block else None
        if isinstance(last, ir.Jump) and last.kind == "continue":
            return True
    return False


def _runs_once(site: Site, loop: ir.Node) -> bool:
    """What is run behind the place, in the same round, leaves the loop: `if order.id == wanted: return order.items`."""
    for context in site.context:
        if context.node is loop:
            return _leaves(context, loop) if isinstance(loop, ir.For) and context.role == "loop" else False
        if context.role == "comprehension":
            return False
        if _leaves(context, loop):
            return True
    return False


def _leaves(context: Context, loop: ir.Node) -> bool:
    if isinstance(context.node, ir.For | ir.While) and context.node is not loop:
        return False
    block = getattr(context.node, _BODIES.get(context.role, ""), None)
    last = block[-1] if isinstance(block, list) and block else None
    return isinstance(last, ir.Return | ir.Raise) or (isinstance(last, ir.Jump) and last.kind == "break")
