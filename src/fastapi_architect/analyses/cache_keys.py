"""Which keys does the application keep in Redis, which does it drop, and where? Keys are read as templates.

`f"book:{book_id}"`, `"book:" + str(book_id)` and `book_key(book_id)` are one template. A method of one's own that hands its
parameter to Redis as the key stands for its callers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.cache import RedisCommand
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Function, Scope
from fastapi_architect.program.facts import Site
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

#: Stands for a part of a key that is computed.
HOLE = "\0"
_DROPS = frozenset(
    {"delete", "unlink", "hdel", "getdel", "rename", "expire", "pexpire", "keys", "scan", "scan_iter"}
)
_DROPS_ALL = frozenset({"flushdb", "flushall", "eval", "evalsha"})
_SETS = frozenset({"set", "setex", "psetex", "hset", "hmset", "json_set"})
_READS = frozenset({"get", "hget", "hgetall", "getex"})
_PATTERNS = frozenset({"keys", "scan", "scan_iter"})
_MAX_DEPTH = 6
_MAX_CALLERS = 60
_FORMAT = lazy_pattern(r"%[\w.]|\{[^{}]*\}")
_HOLES = lazy_pattern(f"{HOLE}{{2,}}")


class CacheEvent(msgspec.Struct, frozen=True, eq=False):
    """A key is kept, read or dropped.

    Attributes:
        kind: set, read or drop.
        key: the template, computed parts as `HOLE`; only a hole when nothing is known.
        site: the call, that of one's own wrapper where the key is given to it.
        function: the body it stands in.
        key_expr: the key as written.
        value: what is kept.
        ttl: seconds or milliseconds, as written; None when none is given.
        ttl_scope: where `ttl` is to be read.
        command: the command that is sent.
    """

    kind: str
    key: str
    site: Site
    function: Function
    key_expr: ir.Expr | None
    value: ir.Expr | None
    ttl: ir.Expr | None
    ttl_scope: Scope
    command: RedisCommand


def template(expr: ir.Expr | None, scope: Scope, graph: AppGraph, depth: int = 0) -> str:
    """The text that an expression gives, computed parts as `HOLE`."""
    if expr is None or depth > _MAX_DEPTH:
        return HOLE
    if isinstance(expr, ir.JoinedStr):
        return _HOLES.sub(HOLE, _joined(expr, scope, graph, depth))
    return _with_constant(expr, graph.program.constants.value(expr, scope), scope, graph, depth)


def _with_constant(expr: ir.Expr, constant: object, scope: Scope, graph: AppGraph, depth: int) -> str:
    """The template of anything but an f-string, whose value as a constant is known already."""
    if constant is not UNKNOWN and isinstance(constant, str | int | bytes):
        return constant.decode("latin-1") if isinstance(constant, bytes) else str(constant)
    found = HOLE
    if isinstance(expr, ir.BinOp) and expr.op == "+":
        found = template(expr.left, scope, graph, depth + 1) + template(expr.right, scope, graph, depth + 1)
    elif isinstance(expr, ir.BinOp) and expr.op == "%":
        found = _FORMAT.sub(HOLE, template(expr.left, scope, graph, depth + 1))
    elif isinstance(expr, ir.Call):
        found = _called(expr, scope, graph, depth)
    elif isinstance(expr, ir.Name | ir.Attribute):
        inner, where = graph.program.inference.expand(expr, scope)
        if inner is not expr:
            found = template(inner, where, graph, depth + 1)
    return _HOLES.sub(HOLE, found)


def _joined(expr: ir.JoinedStr, scope: Scope, graph: AppGraph, depth: int) -> str:
    """An f-string: the name of a prefix is followed, a parameter or result is a hole."""
    inner = [part.value if isinstance(part, ir.FormattedValue) else part for part in expr.values]
    constants = [graph.program.constants.value(each, scope) for each in inner]
    if not any(constant is UNKNOWN for constant in constants):
        whole = graph.program.constants.value(expr, scope)
        if isinstance(whole, str):
            return whole
    if depth >= _MAX_DEPTH:
        return HOLE
    found = ""
    for part, each, constant in zip(expr.values, inner, constants, strict=True):
        if isinstance(constant, str):
            found += constant
        elif part is each:
            found += template(each, scope, graph, depth + 1)
        elif isinstance(each, ir.Name | ir.Attribute) and depth + 1 < _MAX_DEPTH:
            found += _with_constant(each, constant, scope, graph, depth + 2)
        else:
            found += HOLE
    return found


def _called(call: ir.Call, scope: Scope, graph: AppGraph, depth: int) -> str:
    func = call.func
    if isinstance(func, ir.Attribute) and func.attr == "format":
        return _FORMAT.sub(HOLE, template(func.value, scope, graph, depth + 1))
    if isinstance(func, ir.Attribute) and func.attr == "join" and len(call.args) == 1:
        parts = call.args[0]
        if isinstance(parts, ir.Sequence):
            between = template(func.value, scope, graph, depth + 1)
            return between.join(template(p, scope, graph, depth + 1) for p in parts.elts)
    site = next((s for s in scope.facts.calls if s.node is call), None)
    targets = graph.program.calls.targets(site) if site is not None else ()
    returns = targets[0].facts.sites(ir.Return) if len(targets) == 1 else []
    if len(returns) == 1:
        return template(returns[0].node.value, targets[0], graph, depth + 1)
    return HOLE


def _may_overlap(a: str, b: str) -> bool:
    """What stands before the first hole of either is the same; a text without one has to be matched to its end."""
    mine, theirs = a.partition(HOLE)[0], b.partition(HOLE)[0]
    return mine.startswith(theirs) or theirs.startswith(mine)


@lru_cache(maxsize=4096)
def overlap(one: str, other: str) -> bool:
    """Some key fits both templates; `*` counts as a hole, too."""
    a, b = one.replace("*", HOLE), other.replace("*", HOLE)
    if not _may_overlap(a, b) or not _may_overlap(a[::-1], b[::-1]):
        return False
    reachable = {(0, 0)}
    stack = [(0, 0)]
    while stack:
        i, j = stack.pop()
        if i == len(a) and j == len(b):
            return True
        following = []
        x, y = a[i : i + 1], b[j : j + 1]
        if x == HOLE:
            following += [(i + 1, j), (i, j + 1)] if y else [(i + 1, j)]
        if y == HOLE:
            following += [(i, j + 1), (i + 1, j)] if x else [(i, j + 1)]
        if x and x == y:
            following.append((i + 1, j + 1))
        for step in following:
            if step not in reachable:
                reachable.add(step)
                stack.append(step)
    return False


class KeyIndex:
    """Events by how their keys begin, so that a key is compared with few of them."""

    def __init__(self, events: Iterable[CacheEvent]) -> None:
        self._by_beginning: dict[str, list[CacheEvent]] = {}
        for event in events:
            self._by_beginning.setdefault(_beginning(event.key), []).append(event)
        self._beginnings = sorted(self._by_beginning)

    def overlapping(self, key: str) -> Iterator[CacheEvent]:
        """Events with some key that fits `key`, too."""
        beginning = _beginning(key)
        for end in range(len(beginning)):
            yield from self._fitting(beginning[:end], key)
        for longer in self._beginnings[bisect_left(self._beginnings, beginning) :]:
            if not longer.startswith(beginning):
                return
            yield from self._fitting(longer, key)

    def _fitting(self, beginning: str, key: str) -> Iterator[CacheEvent]:
        return (each for each in self._by_beginning.get(beginning, ()) if overlap(each.key, key))


def _beginning(key: str) -> str:
    return key.replace("*", HOLE).partition(HOLE)[0]


@question
def events(graph: AppGraph) -> tuple[CacheEvent, ...]:
    """Every key that the application keeps, reads or drops in Redis; kept by graph."""
    return tuple(e for c in graph.facts(RedisCommand) for e in _of(c, graph))


def _of(command: RedisCommand, graph: AppGraph) -> Iterator[CacheEvent]:
    function = command.function
    name = command.command
    drops = name in _DROPS or name in _DROPS_ALL
    if function is None or function.module.kind != "source" or not (drops or name in _SETS or name in _READS):
        return
    kind = "drop" if drops else "set" if name in _SETS else "read"
    value, ttl = _value(command)
    keys: list[ir.Expr | None] = [command.key]
    if name in ("delete", "unlink"):
        keys = list(command.args)
    elif name in _PATTERNS:
        keys = [
            next(
                (k.value for k in command.keywords if k.arg in ("match", "pattern")),
                command.args[-1] if command.args else None,
            )
        ]
    elif name in _DROPS_ALL:
        keys = [None]
    for key in keys:
        made = CacheEvent(
            kind, template(key, function, graph), command.site, function, key, value, ttl, function, command
        )
        yield from _at_callers(made, graph, 0)


def _value(command: RedisCommand) -> tuple[ir.Expr | None, ir.Expr | None]:
    """What is kept, and for how long."""
    by_name = {k.arg: k.value for k in command.keywords if k.arg}
    args = command.args
    if command.command in ("setex", "psetex"):
        return by_name.get("value", args[2] if len(args) > 2 else None), by_name.get(
            "time", args[1] if len(args) > 1 else None
        )
    if command.command == "set":
        value = by_name.get("value", args[1] if len(args) > 1 else None)
        ttl = next(
            (by_name[n] for n in ("ex", "px", "exat", "pxat") if n in by_name),
            args[2] if len(args) > 2 else None,
        )
        return value, ttl
    return by_name.get("mapping", args[-1] if len(args) > 1 else None), None


def _at_callers(event: CacheEvent, graph: AppGraph, depth: int) -> Iterator[CacheEvent]:
    """The event; where its key is a parameter, that of every caller."""
    position = _parameter(event.key_expr, event.function)
    callers = graph.program.calls.callers(event.function) if position is not None else ()
    if position is None or not callers or depth > 1 or event.key.strip(HOLE + "*"):
        yield event
        return
    for site in callers[:_MAX_CALLERS]:
        if not isinstance(site.scope, Function) or site.scope.module.kind != "source":
            continue
        key = _given(event.key_expr, event.function, site)
        value = (
            _given(event.value, event.function, site)
            if _parameter(event.value, event.function) is not None
            else None
        )
        if value is None and event.value is not None:
            value = next((a for a in site.node.args if a is not key), None)
        ttl, where = event.ttl, event.ttl_scope
        if _parameter(ttl, event.function) is not None:
            given = _given(ttl, event.function, site)
            ttl, where = (given, site.scope) if given is not None else (ttl, where)
        made = CacheEvent(
            event.kind,
            template(key, site.scope, graph),
            site,
            site.scope,
            key,
            value,
            ttl,
            where,
            event.command,
        )
        yield from _at_callers(made, graph, depth + 1)


def _parameter(expr: ir.Expr | None, function: Function) -> int | None:
    inner = expr.value if isinstance(expr, ir.Starred) else expr
    if not isinstance(inner, ir.Name) or len(function.facts.bindings.get(inner.id, ())) != 1:
        return None
    return next((i for i, p in enumerate(function.parameters) if p.name == inner.id), None)


def _given(expr: ir.Expr | None, function: Function, site: Site) -> ir.Expr | None:
    position = _parameter(expr, function)
    if position is None:
        return None
    bound = function.is_method and isinstance(site.node.func, ir.Attribute)
    return argument(site.node, position - bound, function.parameters[position].name)
