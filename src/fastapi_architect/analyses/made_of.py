"""What is a value made of? Texts, displays, names and arguments are taken apart backwards, from where the value is used.

Followed are f-strings and other ways to make a text, the last assignments of a name before its use, what called functions
of the program return, and a parameter to what its callers give. Attributes, elements and calls of libraries are where a
value ends; the asker judges them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Binding, Function, Scope, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir, span

#: What the asker says of a piece: True takes it, False leaves it, None takes it apart further.
Judge = Callable[["Piece"], bool | None]

#: Functions whose result holds the text of their arguments.
_TEXTS = frozenset({
    "str", "repr", "format", "bytes", "dict", "list", "tuple", "set", "sorted", "dumps", "pformat", "jsonable_encoder", "copy",
    "deepcopy", "quote", "escape", "dedent", "indent", "cast",
})  # fmt: skip
#: Methods whose result holds the text of what they are called on, and of their arguments.
_TEXT_METHODS = frozenset({
    "format", "format_map", "join", "replace", "encode", "decode", "strip", "lstrip", "rstrip", "lower", "upper", "title",
    "capitalize", "splitlines", "split", "removeprefix", "removesuffix", "copy", "items", "values", "zfill", "ljust", "rjust",
})  # fmt: skip
_ASSIGNED = frozenset({"assign", "annotated", "walrus", "augmented"})
_MAX_DEPTH = 4
_MAX_CALLERS = 24
_MAX_TARGETS = 3
_MAX_PIECES = 300


class Hop(msgspec.Struct, frozen=True, eq=False):
    """A call that a value passed, as a piece of evidence: `text` says what happened there."""

    scope: Scope
    node: ir.Node
    text: str


class Piece(msgspec.Struct, frozen=True, eq=False):
    """Something that a value may be made of.

    Attributes:
        expr: the expression.
        scope: the body it stands in.
        hops: calls between it and the value, from the value backwards.
        around: expressions of the same body that it is inside of, the innermost last (calls that change it among them).
    """

    expr: Any
    scope: Scope
    hops: tuple[Hop, ...] = ()
    around: tuple[ir.Node, ...] = ()


class _Frame(msgspec.Struct, frozen=True, eq=False):
    """A call whose result is taken apart: parameters are what this call gives."""

    site: Site
    function: Function
    outer: _Frame | None


def pieces(graph: AppGraph, expr: ir.Expr | None, scope: Scope, judge: Judge) -> Iterator[Piece]:
    """Pieces of a value that `judge` takes, in the order of the text."""
    if expr is not None:
        yield from _Taker(graph, judge).take(Piece(expr, scope), None, 0)


class _Taker:
    """Takes one value apart; each expression once."""

    def __init__(self, graph: AppGraph, judge: Judge) -> None:
        self._graph = graph
        self._judge = judge
        self._seen: set[tuple[int, int]] = set()

    def take(self, piece: Piece, frame: _Frame | None, depth: int) -> Iterator[Piece]:
        key = (id(piece.expr), id(frame))
        if key in self._seen or len(self._seen) > _MAX_PIECES:
            return
        self._seen.add(key)
        verdict = self._judge(piece)
        if verdict is True:
            yield piece
        elif verdict is None:
            for inner, its_frame, its_depth in self._inside(piece, frame, depth):
                yield from self.take(inner, its_frame, its_depth)

    def _inside(
        self, piece: Piece, frame: _Frame | None, depth: int
    ) -> Iterator[tuple[Piece, _Frame | None, int]]:
        expr = piece.expr
        if expr.__class__ is ir.Name:
            yield from self._named(piece, frame, depth)
            return
        inner = list(parts(expr))
        if inner or expr.__class__ is not ir.Call:
            for each in inner:
                yield Piece(each, piece.scope, piece.hops, (*piece.around, expr)), frame, depth
        elif depth < _MAX_DEPTH:
            yield from self._returned(piece, frame, depth)

    def _named(
        self, piece: Piece, frame: _Frame | None, depth: int
    ) -> Iterator[tuple[Piece, _Frame | None, int]]:
        found = holder_of(piece.expr.id, piece.scope)
        if found is None:
            return
        holder, bindings = found
        used = piece.expr if holder is piece.scope else None
        for binding in last_before(bindings, used, holder):
            if binding.kind in _ASSIGNED and binding.value is not None and not binding.path:
                yield Piece(binding.value, holder, piece.hops), frame, depth
            elif binding.kind == "parameter" and isinstance(holder, Function):
                yield from self._given(piece, holder, frame, depth)

    def _given(
        self, piece: Piece, function: Function, frame: _Frame | None, depth: int
    ) -> Iterator[tuple[Piece, _Frame | None, int]]:
        """What calls give for a parameter: the one call that we came from, or every caller."""
        name = piece.expr.id
        if frame is not None:
            if frame.function is function:
                given = given_for(name, function, frame.site)
                if given is not None:
                    yield Piece(given, frame.site.scope, piece.hops), frame.outer, depth
            return
        if depth >= _MAX_DEPTH:
            return
        sites = [s for s in self._graph.program.calls.callers(function) if s.scope.module.kind != "test"]
        for site in sites[:_MAX_CALLERS]:
            given = given_for(name, function, site)
            if given is not None:
                hop = Hop(
                    site.scope, site.node, f"`{site.scope.name}` passes it to `{function.name}` as `{name}`"
                )
                yield Piece(given, site.scope, (*piece.hops, hop)), None, depth + 1

    def _returned(
        self, piece: Piece, frame: _Frame | None, depth: int
    ) -> Iterator[tuple[Piece, _Frame | None, int]]:
        """What a called function of the program returns."""
        site = site_of(piece.expr, piece.scope)
        targets = self._graph.program.calls.targets(site) if site is not None else ()
        if site is None or not targets or len(targets) > _MAX_TARGETS:
            return
        for target in targets:
            if target.name == "__init__" or target.is_generator:
                continue
            inner = _Frame(site, target, frame)
            hop = Hop(piece.scope, piece.expr, f"`{target.name}` returns it")
            for each in target.facts.sites(ir.Return):
                if each.node.value is not None:
                    yield Piece(each.node.value, target, (*piece.hops, hop)), inner, depth + 1


def parts(expr: Any) -> Iterator[ir.Expr]:
    """Expressions whose text goes into the text of `expr`; none for a name, an attribute or an unknown call."""
    kind = expr.__class__
    if kind is ir.JoinedStr or kind is ir.BoolOp:
        yield from expr.values
    elif kind in (ir.FormattedValue, ir.Await, ir.Starred, ir.NamedExpr):
        yield expr.value
    elif kind is ir.BinOp and expr.op in ("+", "%", "|"):
        yield expr.left
        yield expr.right
    elif kind is ir.Chain:
        yield from expr.operands
    elif kind is ir.IfExp:
        yield expr.body
        yield expr.orelse
    elif kind is ir.Dict:
        yield from expr.values
    elif kind is ir.Sequence:
        yield from expr.elts
    elif kind is ir.Comprehension:
        yield expr.value if expr.value is not None else expr.elt
    elif kind is ir.Subscript:
        if expr.slice.__class__ is ir.Slice or getattr(expr.slice, "kind", "") == "int":
            yield expr.value
    elif kind is ir.Call:
        yield from _of_call(expr)


def _of_call(call: ir.Call) -> Iterator[ir.Expr]:
    """Arguments of what makes a text, or an object that is written out with its fields (a class, by its name)."""
    name = last_name(call.func)
    if isinstance(call.func, ir.Attribute) and name in _TEXT_METHODS:
        yield call.func.value
        if name in ("encode", "decode"):
            return  # the name of an encoding; `jwt.decode(token, key)` is not made of either
    elif name not in _TEXTS and not name[:1].isupper():
        return
    yield from call.args
    yield from (keyword.value for keyword in call.keywords)


def holder_of(name: str, scope: Scope) -> tuple[Scope, list[Binding]] | None:
    """The body that binds a name which `scope` reads, with its bindings; classes around it are not asked."""
    current: Scope | None = scope
    while current is not None:
        bindings = current.facts.bindings.get(name)
        if bindings and (current is scope or current.__class__.__name__ != "Class"):
            return current, bindings
        current = current.parent
    return None


def last_before(bindings: list[Binding], used: ir.Node | None, scope: Scope) -> list[Binding]:
    """Bindings that may hold where `used` stands (None: anywhere): the last one before it, and those in branches after that."""
    if used is None or len(bindings) == 1:
        return bindings
    before = [b for b in bindings if b.node.span < used.span and not _contains(b.node, used)]
    if not before:
        return bindings
    found: list[Binding] = []
    for binding in reversed(before):
        found.append(binding)
        if binding.kind == "parameter" or is_always_run(binding, used, scope):
            break
    return found


def is_always_run(binding: Binding, used: ir.Node, scope: Scope) -> bool:
    """No branch, loop or clause stands around the binding that does not stand around its use, too."""
    if binding.kind not in ("assign", "annotated"):
        return False
    for kind in (ir.Assign, ir.AnnAssign):
        for site in scope.facts.sites(kind):
            if site.node is binding.node:
                return all(
                    context.node is None or context.role in ("with", "try") or _contains(context.node, used)
                    for context in site.context
                ) and not _in_other_branch(site, used)
    return False


def _in_other_branch(site: Site, used: ir.Node) -> bool:
    """Both stand in one `if`, in different branches of it."""
    return any(
        context.role in ("if", "else", "handler", "case") and not _is_among(used, context.node, context.role)
        for context in site.context
    )


def _is_among(used: ir.Node, node: Any, role: str) -> bool:
    body = node.orelse if role == "else" else getattr(node, "body", ())
    if body.__class__ is not list:
        return True
    return any(_contains(statement, used) for statement in body)


def _contains(outer: ir.Node, inner: ir.Node) -> bool:
    begin, end = span.unpack(outer.span), span.unpack(inner.span)
    return begin[:2] <= end[:2] and begin[2:] >= end[2:]


def given_for(name: str, function: Function, site: Site) -> ir.Expr | None:
    """What a call gives for a parameter; its default where it gives nothing."""
    names = [p.name for p in function.parameters]
    if name not in names:
        return None
    position = names.index(name) - (1 if function.is_method else 0)
    given = argument(site.node, position if position >= 0 else None, name)
    if given is None:
        parameter = function.parameter(name)
        return parameter.default if parameter is not None else None
    return given


def site_of(call: ir.Node, scope: Scope) -> Site | None:
    """The call in its surroundings, None when it is of another body."""
    name = last_name(call.func) if isinstance(call, ir.Call) else ""
    return next((site for site in scope.facts.calls_named(name) if site.node is call), None)
