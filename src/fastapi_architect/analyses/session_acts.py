"""What does each call do to a database session: write, send, lock, commit, roll back, or something outside meanwhile?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from fastapi_architect.analyses.row_writes import RowWrite, assignments_in, models_of, row_writes
from fastapi_architect.analyses.session_owners import (
    GIVEN,
    is_session_name,
    local_sessions,
    owner_of,
    owner_of_call,
)
from fastapi_architect.appgraph.background import EnqueueSite
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.concurrency import BlockingCall, TaskSpawn
from fastapi_architect.concepts.database import (
    BulkWrite,
    Commit,
    DatabaseCall,
    DocumentOperation,
    QueryStart,
    QueryStep,
    Rollback,
    RowFetch,
    SessionAdd,
    SessionClose,
    SessionDelete,
    SessionExpunge,
    SessionFlush,
    SessionGet,
    SessionRefresh,
    SqlExecution,
)
from fastapi_architect.concepts.filesystem import ObjectStorageCall
from fastapi_architect.concepts.http import OutboundRequest, PaidApiCall
from fastapi_architect.concepts.messaging import EmailSend
from fastapi_architect.dataflow.interprocedural import HANDING_ON
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, FunctionRef, Partial, Type, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

#: Functions that are looked at from a body that calls something outside, upwards.
_MAX_OUTSIDE_DEPTH = 4
#: Calls that are given a function which runs later, or beside.
_LATER = frozenset(
    {"add_task", "call_soon", "call_soon_threadsafe", "partial", "start_soon", "submit", "wraps"}
)
#: How far a session is followed through functions that do nothing with it.
_MAX_HANDED = 3
#: Packages whose functions may be given a session and leave its transaction alone.
_NEVER_COMMIT = frozenset(
    {"sqlalchemy", "sqlmodel", "builtins", "typing", "logging", "fastapi", "functools", "contextlib"}
)
_WRITES = lazy_pattern(r"\s*(insert|update|delete|merge|replace)\b", 2)
_OUTSIDE: tuple[type[Concept], ...] = (OutboundRequest, PaidApiCall, EmailSend, ObjectStorageCall)
_STATEMENTS = ("insert", "update", "delete")


class Act(msgspec.Struct, frozen=True, eq=False):
    """Something that happens to a session, or while it has a transaction.

    Attributes:
        kind: write, statement (anything that is sent), lock, flush, commit, rollback, outside (a request to another host, a
            mail), enqueue (a task is sent), later (a task after the response), call (of a function of the program) or unknown (of
            something that gets the session and may commit it).
        site: where.
        session: `GIVEN` or a local name.
        concept: what was recognised; None for a call and for an assignment.
        sends: a write that reaches the database at once; others wait for the next flush.
        targets: functions that a call runs.
        sure: recognised by its type.
    """

    kind: str
    site: Site
    session: str = GIVEN
    concept: object = None
    sends: bool = False
    targets: tuple[Function, ...] = ()
    sure: bool = True


@question
def _statement_kinds(graph: AppGraph) -> dict[int, str]:
    """Kind of a statement by the identity of the call that begins it."""
    return {id(start.node): start.kind for start in graph.facts(QueryStart)}


def statement_kind(graph: AppGraph, function: Function, expr: ir.Expr | None) -> str:
    """insert, update, delete, select ... for the statement that is sent; "" when it is not known."""
    kinds = _statement_kinds(graph)
    for _ in range(3):
        current = expr
        while isinstance(current, ir.Call | ir.Await):
            if id(current) in kinds:
                return kinds[id(current)]
            if isinstance(current, ir.Await) or not isinstance(current.func, ir.Attribute):
                break
            current = current.func.value
        if isinstance(current, ir.Call) and current.args and last_name(current.func) == "text":
            current = current.args[0]
        text = graph.program.constants.string(current, function) if current is not None else None
        if text is not None:
            found = _WRITES.match(text)
            return found.group(1).lower() if found else "select"
        if not isinstance(current, ir.Name):
            return ""
        bindings = function.facts.bindings.get(current.id, ())
        values = [b.value for b in bindings if b.kind in ("assign", "annotated") and b.value is not None]
        if not values:
            return ""
        expr = values[0]
    return ""


@question
def _own_acts(graph: AppGraph) -> dict[int, list[Act]]:
    """Acts that concepts stand for, by the identity of the function; whose session it is, is asked later."""
    found: dict[int, list[Act]] = {}
    for call in graph.facts(DatabaseCall):
        if isinstance(call.scope, Function):
            act = _of_call(graph, call.scope, call)
            if act is not None:
                found.setdefault(id(call.scope), []).append(act)
    for step in graph.facts(QueryStep):
        if step.kind == "lock" and isinstance(step.scope, Function):
            act = Act("lock", step.site, concept=step, sends=True, sure=step.sure)
            found.setdefault(id(step.scope), []).append(act)
    for write in (*row_writes(graph), *_left_to_callers(graph)):
        session = _of_row(graph, write) if write.kind == "update" and _is_assignment(write.site) else None
        if session is not None:
            found.setdefault(id(write.function), []).append(Act("write", write.site, session, write))
    for site, kind, fact in _outside_acts(graph):
        if isinstance(site.scope, Function):
            found.setdefault(id(site.scope), []).append(
                Act(kind, site, GIVEN, fact, sure=getattr(fact, "sure", True))
            )
    return found


def _left_to_callers(graph: AppGraph) -> Iterator[RowWrite]:
    """Rows that a function changes and then sends a task for, without a flush or commit of its own."""
    senders = dict.fromkeys(sent.site.scope for sent in graph.background.enqueues)
    for function in senders:
        if not isinstance(function, Function) or not graph.within(DatabaseCall, function):
            continue
        if not any(graph.within(kind, function) for kind in (Commit, SessionFlush, SessionAdd)):
            yield from assignments_in(graph, function)


def _of_row(graph: AppGraph, write: RowWrite) -> str | None:
    """The session that a changed row belongs to: the one that the function opens around it, or was given; None when unclear."""
    opened = local_sessions(graph, write.function)
    if not opened:
        return GIVEN
    around = [c.node for c in write.site.context if c.role == "with" and isinstance(c.node, ir.With)]
    for name, session in opened.items():
        if session.binding.kind != "with" or any(session.binding.node is each for each in around):
            return name if len(opened) == 1 or session.binding.kind == "with" else None
    return None


def _is_assignment(site: Site) -> bool:
    """`book.title = title`, `setattr(book, name, value)`: what the next flush finds."""
    node = site.node
    return not isinstance(node, ir.Call) or last_name(node.func) in ("setattr", "sqlmodel_update")


def _of_call(graph: AppGraph, function: Function, call: DatabaseCall) -> Act | None:
    if isinstance(call, DocumentOperation):
        return None
    kind, sends = _kind_of(graph, function, call)
    if not kind:
        return None
    return Act(kind, call.site, GIVEN, call, sends, sure=call.sure)


def _kind_of(graph: AppGraph, function: Function, call: DatabaseCall) -> tuple[str, bool]:
    """Kind of the act, and whether it reaches the database at once."""
    if isinstance(call, Commit):
        return "commit", True
    if isinstance(call, Rollback | SessionClose):
        ended = isinstance(call, Rollback) or getattr(call, "kind", "session") in ("session", "connection")
        return ("rollback" if ended else ""), True
    if isinstance(call, SessionExpunge):
        return ("rollback" if call.kind == "expunge_all" else ""), True
    if isinstance(call, SessionFlush | SessionRefresh):
        return "flush", True
    if isinstance(call, SessionAdd):
        return ("write" if is_change(graph, function, call) else ""), False
    if isinstance(call, SessionDelete):
        return "write", False
    if isinstance(call, BulkWrite):
        return "write", True
    if isinstance(call, SessionGet):
        return ("lock" if call.lock is not None else "statement"), True
    if isinstance(call, RowFetch):
        return ("statement" if call.executes else ""), True
    if isinstance(call, SqlExecution) and call.driver == "sqlalchemy":
        writes = statement_kind(graph, function, call.statement) in (*_STATEMENTS, "merge", "replace")
        return ("write" if writes else "statement"), True
    return "", False


def is_change(graph: AppGraph, function: Function, add: SessionAdd) -> bool:
    """The object is new, or changed here; adding a row that was only read again does nothing."""
    instance = add.instance
    if add.kind == "merge" or add.many or not isinstance(instance, ir.Name):
        return add.kind != "merge"
    values = [
        b.value for b in function.facts.bindings.get(instance.id, ()) if b.kind in ("assign", "annotated")
    ]
    if _is_read_again(graph, function, add, instance.id):
        return any(is_model_made(graph, function, value) for value in values)
    if not values:
        return True  # a parameter, or an element of something
    if any(is_model_made(graph, function, value) for value in values):
        return True
    changed = (*function.facts.sites(ir.Assign), *function.facts.sites(ir.AugAssign))
    targets = [t for site in changed for t in (getattr(site.node, "targets", None) or [site.node.target])]
    if any(isinstance(t, ir.Attribute) and last_name(t.value) == instance.id for t in targets):
        return True
    called = function.facts.calls_named("setattr", "sqlmodel_update", "update")
    return any(
        instance.id
        in (last_name(a) for a in (*site.node.args[:1], getattr(site.node.func, "value", instance)))
        for site in called
    )


def is_model_made(graph: AppGraph, function: Function, value: ir.Expr | None) -> bool:
    """`User(name=name)`."""
    if not isinstance(value, ir.Call):
        return False
    return any(
        isinstance(of, ClassRef) for of in options(graph.program.inference.type_of(value.func, function))
    )


def _is_read_again(graph: AppGraph, function: Function, add: SessionAdd, name: str) -> bool:
    """`session.add(row)` and `session.refresh(row)`: a row that a commit has expired comes back into the session."""
    refreshed = [
        each.node.span
        for each in graph.within(SessionRefresh, function)
        if each.instance is not None and last_name(each.instance) == name and each.node.span > add.node.span
    ]
    sent = [
        e.node.span
        for kind in (SessionFlush, Commit)
        for e in graph.within(kind, function)
        if e.node.span > add.node.span
    ]
    return bool(refreshed) and not any(each < refreshed[0] for each in sent)


def _outside_acts(graph: AppGraph) -> Iterator[tuple[Site, str, object]]:
    for kind in _OUTSIDE:
        for each in graph.facts(kind):
            if getattr(each, "operation", "") != "sign":  # a signed address is made without asking anybody
                yield each.site, "outside", each
    for call in graph.facts(BlockingCall):
        if call.kind == "sleep" and call.site.context.inside("handler") is None:
            yield call.site, "outside", call
    for sent in graph.background.enqueues:
        if sent.kind == "background":
            yield sent.site, "later", sent
        # A function of the program that is named like a queue's may keep the message until the commit.
        elif sent.kind != "signature" and not graph.program.calls.targets(sent.site):
            yield sent.site, "enqueue", sent


class SessionActs:
    """The acts of every function that matters: those that touch a session, and those that call them."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._own = _own_acts(graph)
        self._acts: dict[int, tuple[Act, ...]] = {}
        spawns = (s for s in graph.facts(TaskSpawn) if s.kind in ("task", "group"))
        #: Coroutines that are handed to the event loop: they run beside the transaction.
        self._spawned = {id(each) for spawn in spawns for each in spawn.coroutines}
        #: Sites that call a function of either kind.
        self._calling: set[int] = set()
        self._is_name: dict[str, bool] = {}
        self.members = self._callers_of(("write", "commit", "lock"), depth=1000)
        outside = self._callers_of(("outside", "enqueue"), depth=_MAX_OUTSIDE_DEPTH)
        #: Functions that only call something outside: they touch no session.
        self._outside = {key: f for key, f in outside.items() if key not in self.members}

    def _callers_of(self, kinds: Iterable[str], depth: int) -> dict[int, Function]:
        """Functions with such acts and their callers, by identity, in order of discovery."""
        wanted = set(kinds)
        frontier = [
            f
            for f in self._graph.program.functions
            if any(a.kind in wanted for a in self._own.get(id(f), ()))
        ]
        frontier = [f for f in frontier if f.module.kind in ("source", "example")]
        found = {id(f): f for f in frontier}
        while frontier and depth:
            depth -= 1
            following = []
            for current in frontier:
                sites = self._graph.program.calls.callers(current)
                self._calling.update(id(site.node) for site in sites)
                for scope in (*(site.scope for site in sites), current.parent):
                    if (
                        isinstance(scope, Function)
                        and id(scope) not in found
                        and scope.module.kind == "source"
                    ):
                        found[id(scope)] = scope
                        following.append(scope)
            frontier = following
        return found

    def of(self, function: Function) -> tuple[Act, ...]:
        """Acts of a function, in order of the calls."""
        key = id(function)
        if key not in self._acts:
            self._acts[key] = tuple(self._find(function))
        return self._acts[key]

    def _find(self, function: Function) -> Iterator[Act]:
        own: dict[int, list[Act]] = {}
        for act in self._own.get(id(function), ()):
            own.setdefault(id(act.site.node), []).append(act)
        for site in function.facts.calls:
            acts = own.pop(id(site.node), None)
            if acts is not None:
                yield from (self._owned(act) for act in sorted(acts, key=lambda act: act.kind != "write"))
            else:
                yield from self._of_site(function, site)
        for rest in own.values():  # assignments to attributes
            yield from rest

    def _owned(self, act: Act) -> Act:
        """With its session; and with what runs behind the response, which may commit, too."""
        concept, function = act.concept, act.site.scope
        if isinstance(concept, DatabaseCall | QueryStep) and isinstance(function, Function):
            session = concept.session if isinstance(concept, DatabaseCall) else concept.statement
            owner = owner_of(self._graph, function, session)
            return replace(act, session=owner) if owner != GIVEN else act
        later = concept.function if isinstance(concept, EnqueueSite) and act.kind == "later" else None
        return replace(act, targets=(later,)) if later is not None and id(later) in self.members else act

    def _of_site(self, function: Function, site: Site) -> Iterator[Act]:
        name = last_name(site.node.func)
        if id(site.node) in self._calling or name in HANDING_ON:
            yield from self._of_call(function, site, name)
        elif self.may_end(site):
            yield Act("unknown", site, owner_of_call(self._graph, function, site.node), sure=False)
        elif "commit" in name and not self._graph.program.calls.targets(site):
            yield Act("commit", site, owner_of(self._graph, function, site.node.func), sends=True, sure=False)

    def _of_call(self, function: Function, site: Site, name: str) -> Iterator[Act]:
        """A call that runs a function that matters, itself or by handing it on."""
        targets = self._graph.program.calls.targets(site)
        if not targets and name in HANDING_ON:
            targets = tuple(self._handed(function, site))
        known = tuple(each for each in targets if id(each) in self.members)
        is_later = name in _LATER or id(site.node) in self._spawned
        if known:
            session = owner_of_call(self._graph, function, site.node)
            if session == GIVEN and any(each.parent is function for each in known):
                session = next(iter(local_sessions(self._graph, function)), GIVEN)  # by its closure
            kind = "later" if is_later else "call"
            yield Act(kind, site, session, targets=known, sure=len(targets) == 1)
        elif not is_later and any(id(each) in self._outside for each in targets):
            yield Act("call", site, GIVEN, targets=tuple(t for t in targets if id(t) in self._outside))

    def may_end(self, site: Site, depth: int = 0) -> bool:
        """A call of something that is not known, which gets the session and may commit it."""
        call = site.node
        if not any(self._is_session(each) for each in call.args) and not any(
            self._is_session(keyword.value) for keyword in call.keywords
        ):
            return False
        targets = self._graph.program.calls.targets(site)
        if targets:
            handing = (t for t in targets if id(t) not in self.members and depth < _MAX_HANDED)
            return any(self.may_end(inner, depth + 1) for t in handing for inner in t.facts.calls)
        names = self._graph.program.calls.names(site)
        return not names or not all(name.partition(".")[0] in _NEVER_COMMIT for name in names)

    def _is_session(self, expr: ir.Expr) -> bool:
        """By its name; names are looked at once."""
        if expr.__class__ is not ir.Name and expr.__class__ is not ir.Attribute:
            return False
        name = last_name(expr)
        known = self._is_name.get(name)
        if known is None:
            known = self._is_name[name] = is_session_name(name)
        return known

    def _handed(self, function: Function, site: Site) -> Iterator[Function]:
        """Functions that a call is given to run: `run_in_threadpool(create, session)`."""
        for part in (*site.node.args, *(k.value for k in site.node.keywords)):
            if isinstance(part, ir.Name | ir.Attribute):
                for of in options(self._graph.program.inference.type_of(part, function)):
                    yield from self._referred(of)

    def _referred(self, of: Type) -> list[Function]:
        if isinstance(of, Partial):
            return self._referred(of.target)
        return self._graph.program.calls.functions_behind(of) if isinstance(of, FunctionRef) else []


@question
def session_acts(graph: AppGraph) -> SessionActs:
    """The acts of a graph."""
    return SessionActs(graph)


@question_about
def written_model(graph: AppGraph, act: Act) -> str:
    """Name of the model that a write is about, "" when it is not known."""
    function = act.site.scope
    concept = act.concept
    for write in row_writes(graph):
        if write.site.node is act.site.node:
            return write.model.cls.name
    if isinstance(concept, SessionAdd | SessionDelete):
        found = models_of(concept.instance, function, graph)
        return found[0].cls.name if found else ""
    return ""
