"""Which database session does a call use, of those that its caller holds?

A session travels: as an argument, in an attribute of a repository, through a closure. Here every use is traced back to
the body that is asked about, so that two calls can be told to use one session.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.concurrency import Lock, ThreadOffload
from fastapi_architect.concepts.database import ConnectionOpen, DatabaseCall, QueryStart, SessionCreation
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Binding, Class, Function, Scope, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, Instance, Type, options
from fastapi_architect.syntax import ir

#: Objects of which one may do one thing at a time.
SESSIONS = frozenset(
    {
        "sqlalchemy.orm.Session",
        "sqlalchemy.ext.asyncio.AsyncSession",
        "sqlalchemy.Connection",
        "sqlalchemy.ext.asyncio.AsyncConnection",
        "asyncpg.Connection",
        "psycopg.AsyncConnection",
    }
)
#: They give each thread or task a session of its own.
_SCOPED = frozenset({"sqlalchemy.orm.scoped_session", "sqlalchemy.ext.asyncio.async_scoped_session"})
_MAX_DEPTH = 8
#: Uses of one function that are kept, each of another session.
_MAX_USES = 12
_LOCKS = ("lock", "mutex")

#: A variable and the attributes behind it: `("self", "repository", "session")`.
Steps = tuple[str, ...]


class SessionUse(msgspec.Struct, frozen=True, eq=False):
    """A round trip with a session that somebody else holds.

    Attributes:
        scope: the body that holds it.
        steps: where it lies there.
        call: the round trip.
        hops: calls that lead to it, outer first.
        exact: each of them runs this one function and no other.
    """

    scope: Scope
    steps: Steps
    call: DatabaseCall | QueryStart
    hops: tuple[Site, ...] = ()
    exact: bool = True

    @property
    def key(self) -> tuple[int, Steps]:
        """Two uses with the same key are of one session."""
        return id(self.scope), self.steps

    @property
    def written(self) -> str:
        """The session as the holding body writes it."""
        return ".".join(self.steps)

    @property
    def sure(self) -> bool:
        """The session was recognised by its type, and is surely used."""
        return self.call.sure and self.exact


class Handed(msgspec.Struct, frozen=True, eq=False):
    """A function and what it will be called with, wherever that is written.

    Attributes:
        function: what is called, as written.
        args: positional arguments.
        keywords: named ones.
        scope: where all of it is read.
    """

    function: ir.Expr
    args: Sequence[ir.Expr]
    keywords: Sequence[ir.Keyword]
    scope: Scope

    def argument(self, position: int, name: str) -> ir.Expr | None:
        """What goes to the parameter of that name, at that position; None when it is left out or not known."""
        for each in self.keywords:
            if each.arg == name:
                return each.value
        before = self.args[: position + 1]
        spread = any(each.__class__ is ir.Starred for each in before)
        return before[position] if position < len(before) and not spread else None


class SessionUses:
    """Answers for one graph."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._inference = graph.program.inference
        self._found: dict[int, tuple[SessionUse, ...]] = {}
        self._working: set[int] = set()
        self._trips: dict[int, dict[int, DatabaseCall | QueryStart]] = {}
        #: By the identity of a function: a round trip with a session stands in it, or in something that it calls.
        self._gets_there: dict[int, bool] = {}

    # ── questions

    def of_function(self, function: Function) -> tuple[SessionUse, ...]:
        """Sessions from outside that a function uses, one use of each: its parameters', its object's, a closure's."""
        key = id(function)
        if key not in self._found:
            if key in self._working or len(self._working) > _MAX_DEPTH or not self._reaches_trip(function):
                return ()
            self._working.add(key)
            uses: dict[tuple[int, Steps], SessionUse] = {}
            for use in chain(self._own(function), self._below(function)):
                if len(uses) < _MAX_USES and self._is_outer(use, function):
                    uses.setdefault(use.key, use)
            self._working.discard(key)
            if self._working and not uses:
                return ()  # a function that is being worked out may be missing
            self._found[key] = tuple(uses.values())
        return self._found[key]

    def of_call(self, call: ir.Call, scope: Scope) -> tuple[SessionUse, ...]:
        """Sessions that a call uses, as its own body holds them; the call may be the round trip itself."""
        direct = self._round_trips(scope).get(id(call))
        if direct is not None:
            return tuple(self._located(direct, scope))
        return self.of_handed(Handed(call.func, call.args, call.keywords, scope))

    def of_handed(self, handed: Handed) -> tuple[SessionUse, ...]:
        """Sessions that a function uses when somebody calls it with these arguments."""
        if handed.function.__class__ is ir.Lambda:
            body = handed.function.body
            return self.of_call(body, handed.scope) if body.__class__ is ir.Call else ()
        found: dict[tuple[int, Steps], SessionUse] = {}
        calls = self._graph.program.calls
        alternatives = list(options(self._inference.type_of(handed.function, handed.scope)))
        targets = [(target, of) for of in alternatives for target in calls.functions_behind(of)]
        for target, of in targets:
            for use in self.of_function(target):
                exact = use.exact and len(targets) == 1
                for scope, steps in self._translated(use.scope, use.steps, target, of, handed):
                    moved = SessionUse(scope, steps, use.call, use.hops, exact)
                    found.setdefault(moved.key, moved)
        return tuple(found.values())

    def handed_to(self, target: Function, steps: Steps, handed: Handed) -> Iterator[tuple[Scope, Steps]]:
        """Where what lies at `steps` in `target` lies in the body that calls it."""
        for of in options(self._inference.type_of(handed.function, handed.scope)):
            if target in self._graph.program.calls.functions_behind(of):
                yield from self._translated(target, steps, target, of, handed)

    def place_of(self, expr: ir.Expr, scope: Scope, rest: Steps = ()) -> Iterator[tuple[Scope, Steps]]:
        """Where a session that is written as `expr` lies: the body that holds it, and the way there."""
        steps: list[str] = []
        while expr.__class__ is ir.Attribute:
            steps.append(expr.attr)
            expr = expr.value
        rest = (*reversed(steps), *rest)
        if expr.__class__ is ir.Name:
            yield from self._of_name(expr.id, scope, rest)
        elif expr.__class__ is ir.Call and last_name(expr.func) == "super" and isinstance(scope, Function):
            yield from self._of_name(scope.parameters[0].name, scope, rest)
        elif expr.__class__ is ir.Call and rest:
            yield from self._inside_new(expr, scope, rest)

    # ── inside one body

    def _own(self, function: Function) -> Iterator[SessionUse]:
        for call in self._round_trips(function).values():
            if not self._is_alone(call.site):
                yield from self._located(call, function)

    def _located(self, call: DatabaseCall | QueryStart, scope: Scope) -> Iterator[SessionUse]:
        assert call.session is not None
        for holder, steps in self.place_of(call.session, scope):
            yield SessionUse(holder, steps, call)

    def _round_trips(self, scope: Scope) -> dict[int, DatabaseCall | QueryStart]:
        """Round trips that stand in a body, by the identity of the call."""
        known = self._trips.get(id(scope))
        if known is None:
            known = self._trips[id(scope)] = self._find_round_trips(scope)
        return known

    def _find_round_trips(self, scope: Scope) -> dict[int, DatabaseCall | QueryStart]:
        found: dict[int, DatabaseCall | QueryStart] = {}
        if id(scope) in self._graph.scopes_with(DatabaseCall):
            for call in self._graph.within(DatabaseCall, scope):
                opens = isinstance(call, SessionCreation | ConnectionOpen)
                if call.round_trip and not opens and self.is_session(call.session, scope):
                    found[id(call.node)] = call
        if id(scope) in self._graph.scopes_with(QueryStart):
            for start in self._graph.within(QueryStart, scope):
                if start.session is not None and self.is_session(start.session, scope):
                    found[id(start.node)] = start
        return found

    def is_session(self, expr: ir.Expr | None, scope: Scope) -> bool:
        """It is a session or connection, or may be one as far as its type tells."""
        if expr is None:
            return False
        found = list(options(self._inference.type_of(expr, scope)))
        return not found or any(self.is_session_type(of) for of in found)

    def is_session_type(self, of: Type) -> bool:
        """A type whose objects do one thing at a time."""
        if not isinstance(of, Instance):
            return False
        names = {
            each.cls if isinstance(each.cls, str) else each.cls.full_name
            for each in self._inference.hierarchy.order(of.cls)
        }
        return bool(names & SESSIONS) and not names & _SCOPED

    def _is_alone(self, site: Site) -> bool:
        """A lock around the place lets nobody else in."""
        for context in site.context:
            node = context.node
            if context.role != "with" or not isinstance(node, ir.With):
                continue
            for item in node.items:
                words = last_name(item.context).lower()
                if any(word in words for word in _LOCKS) or self._is_lock(item.context, site.scope):
                    return True
        return False

    def _is_lock(self, expr: ir.Expr, scope: Scope) -> bool:
        made, where = self._inference.expand(expr, scope)
        return any(
            lock.node is made and (lock.kind == "lock" or (lock.limit is not None and _is_one(lock.limit)))
            for lock in self._graph.within(Lock, where)
        )

    # ── through calls

    def _reaches_trip(self, function: Function) -> bool:
        """Some chain of calls leads to a round trip: most lead to none, and what is empty is not kept while it is worked out."""
        known = self._gets_there.get(id(function))
        if known is not None:
            return known
        seen = {id(function)}
        queue = [function]
        for current in queue:
            if self._gets_there.get(id(current)) or self._round_trips(current):
                self._gets_there[id(function)] = True
                return True
            for callee in self._callees(current):
                if id(callee) not in seen and self._gets_there.get(id(callee)) is not False:
                    seen.add(id(callee))
                    queue.append(callee)
        self._gets_there.update(dict.fromkeys(seen, False))
        return False

    def _callees(self, function: Function) -> Iterator[Function]:
        """Whatever `_below` may go into."""
        offloads = {id(o.node): o for o in self._graph.within(ThreadOffload, function)}
        for site in function.facts.calls:
            offload = offloads.get(id(site.node))
            called = site.node.func if offload is None else offloaded(offload).function
            while isinstance(called, ir.Lambda) and isinstance(called.body, ir.Call):
                called = called.body.func
            for of in options(self._inference.type_of(called, function)):
                yield from self._graph.program.calls.functions_behind(of)

    def _below(self, function: Function) -> Iterator[SessionUse]:
        trips = self._round_trips(function)
        offloads = {id(o.node): o for o in self._graph.within(ThreadOffload, function)}
        for site in function.facts.calls:
            if id(site.node) in trips or self._is_alone(site):
                continue
            offload = offloads.get(id(site.node))
            below = (
                self.of_handed(offloaded(offload))
                if offload is not None
                else self.of_call(site.node, function)
            )
            for use in below:
                yield SessionUse(use.scope, use.steps, use.call, (site, *use.hops), use.exact)

    def _translated(
        self, holder: Scope, steps: Steps, target: Function, of: Type, handed: Handed
    ) -> Iterator[tuple[Scope, Steps]]:
        """What lies at `steps` in `target`, as the body that hands it its arguments holds it."""
        if holder is not target:
            yield holder, steps  # a closure: it is held around
            return
        names = [each.name for each in target.parameters]
        if steps[0] not in names:
            return
        position = names.index(steps[0])
        if target.is_method and (not isinstance(of, ClassRef) or target.name == "__init__"):
            if position == 0:
                if isinstance(handed.function, ir.Attribute):
                    yield from self.place_of(handed.function.value, handed.scope, steps[1:])
                return
            position -= 1
        given = handed.argument(position, steps[0])
        if given is not None:
            yield from self.place_of(given, handed.scope, steps[1:])

    # ── names

    def _of_name(self, name: str, scope: Scope, rest: Steps) -> Iterator[tuple[Scope, Steps]]:
        found = self._inference.lookup(name, scope)
        if found is None or not isinstance(found[0], Function):
            return  # of a module or class: it does not belong to a request
        holder, bindings = found
        only = bindings[0] if len(bindings) == 1 else None
        value = only.value if only is not None and only.kind in ("assign", "annotated") else None
        if value is not None and only is not None and not only.path:
            moved = list(self._behind(value, holder, rest))
            if moved:
                yield from moved
                return
        yield holder, (name, *rest)

    def _behind(self, value: ir.Expr, scope: Scope, rest: Steps) -> Iterator[tuple[Scope, Steps]]:
        """What a variable was made from: another one, or a new object that was given the session."""
        if value.__class__ in (ir.Name, ir.Attribute) or (value.__class__ is ir.Call and rest):
            yield from self.place_of(value, scope, rest)

    def _inside_new(self, call: ir.Call, scope: Scope, rest: Steps) -> Iterator[tuple[Scope, Steps]]:
        """`Repository(session).session` lies where `session` does."""
        for of in options(self._inference.type_of(call.func, scope)):
            if not isinstance(of, ClassRef) or not isinstance(of.cls, Class):
                continue
            member = self._inference.hierarchy.member(of.cls, "__init__")
            init = member.function if member is not None else None
            if init is None:
                given = argument(call, _field_position(of.cls, rest[0]), rest[0])
                if given is not None:
                    yield from self.place_of(given, scope, rest[1:])
                continue
            for value, where in self._inference.attribute_assignments(of.cls, rest[0]):
                if value is None or where.name != "__init__":
                    continue
                handed = Handed(call.func, call.args, call.keywords, scope)
                for holder, steps in self.place_of(value, where, rest[1:]):
                    yield from self._translated(holder, steps, where, of, handed)

    def _is_outer(self, use: SessionUse, function: Function) -> bool:
        """The session comes from outside: a parameter, or a variable of a body around."""
        if use.scope is not function:
            return True
        bindings: list[Binding] = function.facts.bindings.get(use.steps[0], [])
        return bool(bindings) and all(each.kind == "parameter" for each in bindings)


def offloaded(offload: ThreadOffload) -> Handed:
    """The function that a thread will run, with its arguments."""
    call = offload.node
    target = offload.target
    position = next((i for i, each in enumerate(call.args) if each is target), -1)
    keywords = [each for each in call.keywords if each.value is not target]
    return Handed(target or call.func, call.args[position + 1 :], keywords, offload.scope)


def _field_position(cls: Class, name: str) -> int | None:
    """Position of a field among those that a class declares, as a dataclass takes them."""
    fields = [each for each, bindings in cls.facts.bindings.items() if bindings[0].kind == "annotated"]
    return fields.index(name) if name in fields else None


def _is_one(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Constant) and expr.value == 1


@question
def session_uses(graph: AppGraph) -> SessionUses:
    """The analysis of a graph; one for each graph."""
    return SessionUses(graph)
