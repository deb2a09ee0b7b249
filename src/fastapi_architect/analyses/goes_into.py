"""Under which names does a value go on? From the expression that makes it outwards: assigned, passed, returned, sent.

The way back (what a value is made of) is `made_of`. This one is for values that are rare: it reads the bodies they are in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.surroundings import nodes_of, parents_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir

_MAX_STEPS = 5
_MAX_CALLERS = 12
#: Calls that give the value of an argument in another form.
_FORMS = frozenset({
    "str", "repr", "hex", "oct", "int", "bytes", "format", "join", "encode", "decode", "dumps", "list", "tuple", "sorted", "map",
    "b64encode", "urlsafe_b64encode", "hexlify", "md5", "sha1", "sha256", "sha512", "blake2b", "new", "replace", "zfill", "strip",
    "quote", "abs", "round", "set_password", "shuffle", "extend",
})  # fmt: skip
#: What a value may stand in and still be the value, or part of it.
_THROUGH = (
    ir.JoinedStr, ir.FormattedValue, ir.BinOp, ir.Chain, ir.IfExp, ir.BoolOp, ir.Await, ir.Sequence, ir.Starred, ir.Attribute,
    ir.Comprehension, ir.Subscript,
)  # fmt: skip


class Destination(msgspec.Struct, frozen=True, eq=False):
    """A name that a value gets.

    Attributes:
        name: the variable, attribute, key, argument, cookie or function.
        kind: assigned, attribute, key, argument, cookie or returned.
        node: where.
        scope: the body it happens in.
        before: the names on the way.
    """

    name: str
    kind: str
    node: ir.Node
    scope: Scope
    before: tuple[Destination, ...] = ()


def destinations(graph: AppGraph, node: ir.Node, scope: Function) -> Iterator[Destination]:
    """Names that the value of an expression gets, the nearest first."""
    yield from _Way(graph).up(node, scope, (), 0)


class _Way:
    """Follows one value; each expression once."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._seen: set[int] = set()

    def up(
        self, node: Any, scope: Scope, before: tuple[Destination, ...], depth: int
    ) -> Iterator[Destination]:
        if id(node) in self._seen or depth > _MAX_STEPS or not isinstance(scope, Function):
            return
        self._seen.add(id(node))
        parents = parents_of(scope, self._graph)
        above = parents.get(id(node))
        while isinstance(above, _THROUGH) and getattr(above, "slice", None) is not node:
            node, above = above, parents.get(id(above))
        if isinstance(above, ir.Keyword):
            call = parents.get(id(above))
            if above.arg is not None and isinstance(call, ir.Call):
                yield from self._passed(above.arg, call, scope, before, depth)
        elif isinstance(above, ir.Call):
            yield from self._into_call(node, above, scope, before, depth)
        elif isinstance(above, ir.Dict):
            yield from self._into_dict(node, above, scope, before)
        elif isinstance(above, ir.Assign | ir.AnnAssign | ir.NamedExpr | ir.AugAssign):
            yield from self._assigned(above, scope, before, depth)
        elif isinstance(above, ir.Return):
            yield from self._returned(above, scope, before, depth)

    def _into_call(
        self, node: Any, call: ir.Call, scope: Function, before: tuple[Destination, ...], depth: int
    ) -> Iterator[Destination]:
        name = last_name(call.func)
        if call.func is node or name in _FORMS:
            yield from self.up(call, scope, before, depth)
            return
        if name == "set_cookie" and len(call.args) > 1 and call.args[1] is node:
            yield from self._cookie(call, scope, before)
            return
        position = next((i for i, given in enumerate(call.args) if given is node), None)
        site = _site(call, scope)
        for target in self._graph.program.calls.targets(site) if site is not None else ():
            names = [p.name for p in target.parameters][1 if target.is_method else 0 :]
            if position is not None and position < len(names):
                yield from self._parameter(names[position], target, call, scope, before, depth)

    def _passed(
        self,
        name: str,
        call: ir.Call,
        scope: Function,
        before: tuple[Destination, ...],
        depth: int,
    ) -> Iterator[Destination]:
        if last_name(call.func) == "set_cookie":
            if name == "value":
                yield from self._cookie(call, scope, before)
            return
        here = Destination(name, "argument", call, scope, before)
        yield here
        site = _site(call, scope)
        for target in self._graph.program.calls.targets(site) if site is not None else ():
            if target.parameter(name) is not None and target.name != "__init__":
                yield from self._uses(name, target, (*before, here), depth + 1)

    def _parameter(
        self,
        name: str,
        target: Function,
        call: ir.Call,
        scope: Scope,
        before: tuple[Destination, ...],
        depth: int,
    ) -> Iterator[Destination]:
        here = Destination(name, "argument", call, scope, before)
        yield here
        yield from self._uses(name, target, (*before, here), depth + 1)

    def _cookie(self, call: ir.Call, scope: Scope, before: tuple[Destination, ...]) -> Iterator[Destination]:
        key = next((k.value for k in call.keywords if k.arg == "key"), call.args[0] if call.args else None)
        name = self._graph.program.constants.string(key, scope) if key is not None else None
        yield Destination(name or last_name(key) if key is not None else "", "cookie", call, scope, before)

    def _into_dict(
        self, node: Any, above: ir.Dict, scope: Scope, before: tuple[Destination, ...]
    ) -> Iterator[Destination]:
        for key, value in zip(above.keys, above.values, strict=True):
            if value is node and isinstance(key, ir.Constant) and isinstance(key.value, str):
                yield Destination(key.value, "key", above, scope, before)

    def _assigned(
        self, statement: Any, scope: Function, before: tuple[Destination, ...], depth: int
    ) -> Iterator[Destination]:
        for target in getattr(statement, "targets", None) or [statement.target]:
            if isinstance(target, ir.Name):
                here = Destination(target.id, "assigned", statement, scope, before)
                yield here
                yield from self._uses(target.id, scope, (*before, here), depth + 1)
            elif isinstance(target, ir.Attribute):
                yield Destination(target.attr, "attribute", statement, scope, before)
            elif isinstance(target, ir.Subscript) and isinstance(target.slice, ir.Constant):
                yield Destination(str(target.slice.value), "key", statement, scope, before)

    def _uses(
        self, name: str, scope: Function, before: tuple[Destination, ...], depth: int
    ) -> Iterator[Destination]:
        """Places that read a local name."""
        for node in nodes_of(scope):
            if node.__class__ is ir.Name and node.id == name:
                yield from self.up(node, scope, before, depth)

    def _returned(
        self, node: ir.Node, scope: Function, before: tuple[Destination, ...], depth: int
    ) -> Iterator[Destination]:
        here = Destination(scope.name, "returned", node, scope, before)
        yield here
        entered = next((d for d in reversed(before) if d.kind == "argument" and _calls(d.node, scope)), None)
        if entered is not None:  # it came in by one call, and goes back to that one
            yield from self.up(entered.node, entered.scope, (*before, here), depth + 1)
            return
        sites = [s for s in self._graph.program.calls.callers(scope) if s.scope.module.kind != "test"]
        for site in sites[:_MAX_CALLERS]:
            yield from self.up(site.node, site.scope, (*before, here), depth + 1)


def _calls(node: ir.Node, function: Function) -> bool:
    return isinstance(node, ir.Call) and last_name(node.func) == function.name


def _site(call: ir.Call, scope: Scope) -> Site | None:
    return next((s for s in scope.facts.calls_named(last_name(call.func)) if s.node is call), None)
