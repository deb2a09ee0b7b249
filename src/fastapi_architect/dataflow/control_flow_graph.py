"""The control-flow graph of one function: basic blocks and the edges between them.

An *element* of a block is whatever is evaluated there: a simple statement; the test of an `if`, `while` or `match` guard as
an expression; the iterable of a `for`, and `ir.For` itself for binding the next item, at the top of its body;
`ir.WithItem`, `ir.Handler` and `ir.Case` for entering and binding.

Exceptions: an explicit `raise` leads to the handlers around it, else out. Inside `try`, every statement has a block of
its own with an exception edge, because it may be left before it is done: what flows along that edge is the state
*before* the statement. Outside `try`, implicit exceptions leave the function and have no edge.

A `finally` body is copied for each way of leaving (normal, exception, return, break, continue), so that no path is made
up between them; where such copies would nest more than `_MAX_COPIES` deep, one copy serves all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir

_MAX_COPIES = 3

Element = ir.Node
#: Index of a block, and position of an element in it.
Place = tuple[int, int]


class Edge(msgspec.Struct, frozen=True, eq=False):
    """A way from one block to another.

    Attributes:
        source: index of the block it leaves.
        target: index of the block it enters.
        kind: next, true, false, item (a loop takes another round), done (a loop has ended), case, exception, return or raise.
        condition: the test that was true or false on this edge, or the `ir.Case` that matched; None when there is none.
        subject: what a `case` is compared with.
    """

    source: int
    target: int
    kind: str = "next"
    condition: ir.Node | None = None
    subject: ir.Expr | None = None

    @property
    def holds(self) -> bool:
        """The condition is true on this edge (false for the other branch)."""
        return self.kind != "false"


class Block(msgspec.Struct, eq=False):
    """Elements that run one after the other, with the edges out of and into the block."""

    index: int
    elements: list[Element] = msgspec.field(default_factory=list)
    successors: list[Edge] = msgspec.field(default_factory=list)
    predecessors: list[Edge] = msgspec.field(default_factory=list)


class ControlFlowGraph:
    """Blocks of one function.

    Attributes:
        function: whose body it is.
        blocks: all blocks; `entry` is the first, `exit` the normal end, `failure` the end by an exception.
    """

    entry = 0
    exit = 1
    failure = 2

    def __init__(self, function: Function) -> None:
        self.function = function
        self.blocks: list[Block] = []
        #: Compound statements, each with the element that stands for it.
        self.heads: list[tuple[ir.Stmt, Element]] = []
        self._places: dict[int, list[Place]] | None = None
        _Builder(self).build(function.body)

    def reverse_postorder(self) -> list[int]:
        """Indices of the blocks that the entry reaches, each before its successors but for loops."""
        order: list[int] = []
        seen = {self.entry}
        stack: list[tuple[int, Iterator[Edge]]] = [(self.entry, iter(self.blocks[self.entry].successors))]
        while stack:
            index, edges = stack[-1]
            edge = next(edges, None)
            if edge is None:
                order.append(index)
                stack.pop()
            elif edge.target not in seen:
                seen.add(edge.target)
                stack.append((edge.target, iter(self.blocks[edge.target].successors)))
        order.reverse()
        return order

    @property
    def places(self) -> dict[int, list[Place]]:
        """Identity of an element, or of the compound statement it heads, to where it stands.

        An element of a copied `finally` body stands at several places.
        """
        if self._places is None:
            places: dict[int, list[Place]] = {}
            for block in self.blocks:
                for position, element in enumerate(block.elements):
                    places.setdefault(id(element), []).append((block.index, position))
            for statement, element in self.heads:
                if id(element) in places:
                    places.setdefault(id(statement), places[id(element)])
            self._places = places
        return self._places

    def places_of(self, site: Site) -> list[Place]:
        """Where a node is evaluated: several places in a copied `finally` body, none when nothing leads there.

        The head of a compound statement stands for its tests: a call in an `elif` test is placed at the first test.
        """
        found = self.places.get(id(site.node))
        if found is not None:
            return found
        for context in site.context:
            if context.role == "iter" and context.node.__class__ is ir.For:
                return self.places.get(id(context.node.iter), [])
        return self.places.get(id(site.statement), [])

    def await_points(self) -> list[Place]:
        """Places at which other coroutines may run: `await`, `async for`, `async with`; in order, each once."""
        found: set[Place] = set()
        for kind in (ir.Await, ir.For, ir.With):
            for site in self.function.facts.sites(kind):
                if kind is ir.Await or site.node.is_async:
                    found.update(self.places_of(site))
        return sorted(found)


class _Finally(msgspec.Struct, eq=False):
    """A `finally` around what is being built: its body, and the copies made of it, by the way of leaving.

    `depth` counts the `finally` bodies it stands in itself.
    """

    body: list[ir.Stmt]
    depth: int
    copies: dict[tuple[str, int], tuple[int, int | None]] = msgspec.field(default_factory=dict)


class _Handlers(msgspec.Struct, eq=False):
    """The blocks that catch what is raised in a `try` body; `complete` when nothing gets past them."""

    targets: list[int]
    complete: bool


class _Loop(msgspec.Struct, eq=False):
    """The loop around what is being built."""

    head: int
    after: int


class _Suppress(msgspec.Struct, eq=False):
    """A `with suppress(...)`: exceptions lead behind it."""

    after: int


class _Builder:
    """Builds the blocks of one body; `current` is None behind a jump."""

    def __init__(self, graph: ControlFlowGraph) -> None:
        self.graph = graph
        self.frames: list[_Finally | _Handlers | _Loop | _Suppress] = []
        self.current: int | None = None
        #: How many `finally` bodies are being copied, one inside the other.
        self.copying = 0

    def build(self, body: list[ir.Stmt]) -> None:
        entry, end, _ = self.block(), self.block(), self.block()
        self.current = entry
        self.body(body)
        self.jump(end)

    def block(self) -> int:
        self.graph.blocks.append(Block(len(self.graph.blocks)))
        return len(self.graph.blocks) - 1

    def edge(self, source: int | None, target: int, kind: str = "next", **details: Any) -> None:
        if source is None:
            return
        edge = Edge(source, target, kind, **details)
        self.graph.blocks[source].successors.append(edge)
        self.graph.blocks[target].predecessors.append(edge)

    def jump(self, target: int, kind: str = "next") -> None:
        """End the current block with an edge."""
        self.edge(self.current, target, kind)
        self.current = None

    def begin(self, block: int) -> None:
        self.current = block

    def add(self, element: Element) -> None:
        """Put an element into the current block; inside `try` into one of its own."""
        if self.current is None:
            self.current = self.block()  # code that nothing reaches
        block = self.graph.blocks[self.current]
        if self._catching():
            if block.elements or block.index == self.graph.entry:
                following = self.block()
                self.jump(following)
                self.begin(following)
                block = self.graph.blocks[following]
            block.elements.append(element)
            self.raise_to(block.index, len(self.frames), "exception")
        else:
            block.elements.append(element)

    def _catching(self) -> bool:
        return any(frame.__class__ is not _Loop for frame in self.frames)

    def cut(self) -> None:
        """Inside `try`, what follows an element stands in another block."""
        if self.current is not None and self._catching() and self.graph.blocks[self.current].elements:
            following = self.block()
            self.jump(following)
            self.begin(following)

    # ── leaving ─────────────────────────────────────────────────────────────────────────────────────────────

    def raise_to(self, source: int, depth: int, kind: str) -> None:
        """Edges along which an exception raised in `source` leaves, seen from the first `depth` frames."""
        for position in range(depth - 1, -1, -1):
            frame = self.frames[position]
            if isinstance(frame, _Handlers):
                for target in frame.targets:
                    self.edge(source, target, kind)
                if frame.complete:
                    return
            elif isinstance(frame, _Suppress):
                self.edge(source, frame.after, kind)
            elif isinstance(frame, _Finally):
                begin, _ = self.finally_copy(position, frame, "exception", self.graph.failure)
                self.edge(source, begin, kind)
                return
        self.edge(source, self.graph.failure, kind)

    def leave(self, kind: str, target: int, down_to: int) -> None:
        """Jump out of the frames from `down_to` on, through their `finally` bodies."""
        for position in range(len(self.frames) - 1, down_to - 1, -1):
            frame = self.frames[position]
            if isinstance(frame, _Finally):
                begin, _ = self.finally_copy(position, frame, kind, target, down_to)
                self.jump(begin)
                return
        self.jump(target, kind)

    def finally_copy(
        self, position: int, frame: _Finally, way: str, target: int, down_to: int = 0
    ) -> tuple[int, int | None]:
        """First and last block of the copy of a `finally` body for one way of leaving, made on first use."""
        key = (way, target) if frame.depth < _MAX_COPIES else ("", 0)
        known = frame.copies.get(key)
        if known is not None:
            if key == ("", 0):
                self._onward(known[1], position, way, target, down_to)
            return known
        saved, saved_frames = self.current, self.frames
        begin = self.block()
        frame.copies[key] = (begin, None)
        self.frames = saved_frames[:position]
        self.begin(begin)
        self.copying += 1
        self.body(frame.body)
        self.copying -= 1
        end = self.current
        frame.copies[key] = (begin, end)
        self._onward(end, position, way, target, down_to)
        self.current, self.frames = saved, saved_frames
        return frame.copies[key]

    def _onward(self, end: int | None, position: int, way: str, target: int, down_to: int) -> None:
        """From the end of a `finally` copy to where the way of leaving goes on."""
        if end is None:
            return
        saved, saved_frames = self.current, self.frames
        self.frames = saved_frames[:position]
        self.begin(end)
        if way == "exception":
            self.raise_to(end, position, "raise")
        elif way == "next":
            self.jump(target)
        else:
            self.leave(way, target, down_to)
        self.current, self.frames = saved, saved_frames

    # ── statements ──────────────────────────────────────────────────────────────────────────────────────────

    def body(self, statements: list[ir.Stmt]) -> None:
        for statement in statements:
            build = _BUILD.get(statement.__class__)
            if build is not None:
                build(self, statement)
            else:
                self.add(statement)

    def head(self, statement: ir.Stmt, element: Element) -> None:
        """Add the element that stands for a compound statement."""
        self.graph.heads.append((statement, element))
        self.add(element)

    def branch(self, source: int | None, kind: str, **details: Any) -> int:
        """A new block behind an edge from `source`; it becomes the current one."""
        target = self.block()
        self.edge(source, target, kind, **details)
        self.begin(target)
        return target

    def if_(self, node: ir.If) -> None:
        after = self.block()
        tests = [(node.test, node.body), *((branch.test, branch.body) for branch in node.elifs)]
        for position, (test, body) in enumerate(tests):
            self.head(node, test) if position == 0 else self.add(test)
            source = self.current
            self.branch(source, "true", condition=test)
            self.body(body)
            self.jump(after)
            self.branch(source, "false", condition=test)
        self.body(node.orelse)
        self.jump(after)
        self.begin(after)

    def while_(self, node: ir.While) -> None:
        after = self.block()
        first = self.block()
        self.jump(first)
        self.begin(first)
        self.head(node, node.test)
        source = self.current
        self.frames.append(_Loop(first, after))
        self.branch(source, "true", condition=node.test)
        self.body(node.body)
        self.jump(first)
        self.frames.pop()
        forever = node.test.__class__ is ir.Constant and bool(node.test.value)
        if not forever:
            self.branch(source, "false", condition=node.test)
            self.body(node.orelse)
            self.jump(after)
        self.begin(after)

    def for_(self, node: ir.For) -> None:
        after = self.block()
        self.add(node.iter)
        first = self.block()
        self.jump(first)
        self.frames.append(_Loop(first, after))
        self.branch(first, "item")
        self.add(node)
        self.body(node.body)
        self.jump(first)
        self.frames.pop()
        self.branch(first, "done")
        self.body(node.orelse)
        self.jump(after)
        self.begin(after)

    def with_(self, node: ir.With) -> None:
        after = None
        for position, item in enumerate(node.items):
            self.head(node, item) if position == 0 else self.add(item)
            if item.context.__class__ is ir.Call and last_name(item.context.func) == "suppress":
                after = self.block() if after is None else after
        if after is None:
            self.body(node.body)
            return
        self.cut()
        self.frames.append(_Suppress(after))
        self.body(node.body)
        self.frames.pop()
        self.jump(after)
        self.begin(after)

    def try_(self, node: ir.Try) -> None:
        after = self.block()
        if node.finalbody:
            self.frames.append(_Finally(node.finalbody, self.copying))
        targets = [self.block() for _ in node.handlers]
        self.cut()
        self.frames.append(_Handlers(targets, any(_catches_all(handler) for handler in node.handlers)))
        self.body(node.body)
        self.frames.pop()
        self.cut()
        self.body(node.orelse)
        ends = [self.current]
        for handler, target in zip(node.handlers, targets, strict=True):
            self.begin(target)
            self.graph.blocks[target].elements.append(handler)
            self.cut()
            self.body(handler.body)
            ends.append(self.current)
        if not node.finalbody:
            for end in ends:
                self.edge(end, after)
        else:
            position = len(self.frames) - 1
            frame = self.frames[position]
            assert isinstance(frame, _Finally)
            if any(end is not None for end in ends):
                begin, _ = self.finally_copy(position, frame, "next", after)
                for end in ends:
                    self.edge(end, begin)
            self.frames.pop()
        self.begin(after)

    def match_(self, node: ir.Match) -> None:
        after = self.block()
        self.head(node, node.subject)
        for case in node.cases:
            source = self.current
            self.branch(source, "case", condition=case, subject=node.subject)
            self.add(case)
            if case.guard is not None:
                self.add(case.guard)
                guarded = self.current
                self.branch(guarded, "true", condition=case.guard)
                self.body(case.body)
                self.jump(after)
                missed = self.block()
                self.edge(guarded, missed, "false", condition=case.guard)
                self.edge(source, missed)
                self.begin(missed)
                continue
            self.body(case.body)
            self.jump(after)
            if case.wildcard:
                self.current = None
                break
            self.branch(source, "next")
        self.jump(after)
        self.begin(after)

    def return_(self, node: ir.Return) -> None:
        self.add(node)
        self.leave("return", self.graph.exit, 0)

    def raise_(self, node: ir.Raise) -> None:
        """Inside `try`, `add` has made the edges already."""
        caught = self._catching()
        self.add(node)
        if not caught:
            assert self.current is not None
            self.edge(self.current, self.graph.failure, "raise")
        self.current = None

    def jump_(self, node: ir.Jump) -> None:
        loops = [p for p, frame in enumerate(self.frames) if isinstance(frame, _Loop)]
        if node.kind == "pass" or not loops:
            return
        if self.current is None:
            self.current = self.block()
        loop = self.frames[loops[-1]]
        assert isinstance(loop, _Loop)
        self.leave(node.kind, loop.after if node.kind == "break" else loop.head, loops[-1] + 1)


def _catches_all(handler: ir.Handler) -> bool:
    """Nothing gets past it: a bare `except`, or one of Exception or BaseException."""
    return handler.type is None or last_name(handler.type) in ("Exception", "BaseException")


_BUILD: dict[type, Any] = {
    ir.If: _Builder.if_,
    ir.While: _Builder.while_,
    ir.For: _Builder.for_,
    ir.With: _Builder.with_,
    ir.Try: _Builder.try_,
    ir.Match: _Builder.match_,
    ir.Return: _Builder.return_,
    ir.Raise: _Builder.raise_,
    ir.Jump: _Builder.jump_,
}
