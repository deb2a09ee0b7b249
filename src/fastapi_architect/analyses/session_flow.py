"""In which order does a function write, commit, enqueue and wait for others, through everything that it calls?

Every function that matters is run once over its control-flow graph, callees first. What flows is the set of writes that are not
committed yet. A call brings the writes that its function leaves behind, and what it does outside before its first commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from fastapi_architect.analyses.session_acts import Act, SessionActs, session_acts
from fastapi_architect.analyses.session_owners import (
    GIVEN,
    ends_transaction,
    is_committing_decorator,
    local_sessions,
)
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.dataflow.components import Components
from fastapi_architect.dataflow.control_flow_graph import ControlFlowGraph, Place
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir

#: Traces of one kind that a summary keeps.
_MAX_TRACES = 64
_MAX_HOPS = 8
#: How often the functions of a recursive component are run again.
_MAX_ROUNDS = 3
_MAX_PASSES = 10
#: Surroundings in which everything happens whenever the function returns.
_STRAIGHT = frozenset({"root", "with", "with-item", "await", "statement-value", "decorator", "default"})


class Trace(msgspec.Struct, frozen=True, eq=False):
    """An act and the calls that lead to it; the first call stands in the function that is asked about."""

    act: Act
    hops: tuple[Site, ...] = ()

    @property
    def site(self) -> Site:
        """Where it begins in the function that is asked about."""
        return self.hops[0] if self.hops else self.act.site

    def below(self, site: Site) -> Trace:
        """The same, seen from the caller."""
        return Trace(self.act, (site, *self.hops)[:_MAX_HOPS])


class Pending(msgspec.Struct, frozen=True, eq=False):
    """A write, or a lock, in a transaction that a function has not ended.

    Attributes:
        trace: the write.
        session: whose; `GIVEN` or a local name.
        until: the `with` whose end commits it; None when none does.
        sends: the statement is sent at once.
    """

    trace: Trace
    session: str
    until: ir.With | None
    sends: bool


class Meeting(msgspec.Struct, frozen=True, eq=False):
    """Something outside that happens while a write is not committed.

    Attributes:
        function: the nearest function that both lie below.
        write: the write, or the lock.
        event: what happens meanwhile.
        sent: the write has reached the database when it happens.
        commit: the commit that follows in this function; None when somebody else commits.
    """

    function: Function
    write: Pending
    event: Trace
    sent: bool
    commit: Trace | None


class Summary(msgspec.Struct, eq=False):
    """What callers have to know of a function.

    Attributes:
        commits: "no", "may" or "must": whether normal ways end the transaction that the function was called in.
        pending: writes that no way through the function commits; what is committed under a condition is the author's business.
        outside: what happens outside before the first commit.
        committed: writes that it commits itself, each with its commit.
    """

    commits: str = "no"
    pending: tuple[Pending, ...] = ()
    outside: tuple[Trace, ...] = ()
    committed: tuple[tuple[Trace, Trace], ...] = ()

    def learned(self, before: Summary) -> bool:
        """Whether it says something that an earlier round did not."""
        return self._said() != before._said()

    def _said(self) -> tuple[object, ...]:
        acts = (tuple(id(trace.act) for trace in self.outside), tuple(id(p.trace.act) for p in self.pending))
        return self.commits, acts, tuple((id(write.act), id(commit.act)) for write, commit in self.committed)


#: What is known at one place: indexes of pending writes, each with whether it was sent; whether a way from the entry leads
#: here without a commit.
State = tuple[frozenset[tuple[int, bool]], bool]
_NOTHING = Summary()


class SessionFlow:
    """Answers for one graph.

    Attributes:
        meetings: what happens outside while a write is not committed.
        lost: writes on sessions that a function opened, which nobody commits.
        cut: functions for which a bound was hit: meetings in them, or in their callers, may be missing.
    """

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._acts: SessionActs = session_acts(graph)
        self._summaries: dict[int, Summary] = {}
        self._outside: dict[int, tuple[Trace, ...]] = {}
        self.meetings: list[Meeting] = []
        self.lost: list[tuple[Function, Pending]] = []
        self.cut: list[Function] = []
        members = list(self._acts.members.values())
        for component in Components(self._callees).of(members):
            self._summarise(component)

    def summary(self, function: Function) -> Summary:
        """The summary of a function; an empty one for functions that touch no session."""
        return self._summaries.get(id(function), _NOTHING)

    def _callees(self, function: Function) -> Iterable[Function]:
        for act in self._acts.of(function):
            if act.kind in ("call", "later"):
                yield from (t for t in act.targets if id(t) in self._acts.members)

    def _summarise(self, component: list[Function]) -> None:
        rounds = _MAX_ROUNDS if len(component) > 1 else 1
        for function in component:
            self._summaries[id(function)] = Summary()
        for number in range(rounds):
            for function in reversed(component):
                run = _Run(self._graph, self, function, self._acts.of(function))
                before, after = self._summaries[id(function)], run.summary()
                self._summaries[id(function)] = after
                if number == rounds - 1:
                    self.meetings += run.met()
                    self.lost += [(function, each) for each in run.lost()]
                    if run.cut or (rounds > 1 and after.learned(before)):
                        self.cut.append(function)

    def outside_of(self, function: Function, depth: int = 0) -> tuple[Trace, ...]:
        """What a function that touches no session does outside."""
        known = self._outside.get(id(function))
        if known is None:
            self._outside[id(function)] = ()
            found: list[Trace] = []
            for act in self._acts.of(function):
                if act.kind in ("outside", "enqueue"):
                    found.append(Trace(act))
                elif act.kind == "call" and depth < _MAX_HOPS:
                    for target in act.targets:
                        found += [t.below(act.site) for t in self.outside_of(target, depth + 1)[:1]]
                if len(found) >= _MAX_TRACES:
                    break
            known = self._outside[id(function)] = tuple(found[:_MAX_TRACES])
        return known

    def effect(self, act: Act) -> Summary:
        """The summaries of what a call may run, as one."""
        summaries = [
            self._summaries[id(t)]
            if id(t) in self._summaries
            else Summary(outside=self.outside_of(t))
            if id(t) not in self._acts.members
            else _NOTHING
            for t in act.targets
        ]
        if len(summaries) < 2:
            return summaries[0] if summaries else _NOTHING
        commits = {each.commits for each in summaries}
        return Summary(
            "must" if commits == {"must"} else "no" if commits == {"no"} else "may",
            tuple(p for each in summaries for p in each.pending)[:_MAX_TRACES],
            tuple(t for each in summaries for t in each.outside)[:_MAX_TRACES],
            tuple(c for each in summaries for c in each.committed)[:_MAX_TRACES],
        )


class _Run:
    """One function, run over its graph."""

    def __init__(self, graph: AppGraph, flow: SessionFlow, function: Function, acts: tuple[Act, ...]) -> None:
        self.graph = graph
        self.flow = flow
        self.function = function
        self.acts = acts
        self.entries: list[Pending] = []
        self.index: dict[tuple[int, int], int] = {}
        self.first_commit: dict[int, Trace] = {}
        self.outside: dict[tuple[int, int], Trace] = {}
        self.meetings: dict[tuple[int, int], Meeting] = {}
        self.commits = False
        self.cut = False
        self._ends: dict[int, bool] = {}
        self.end: State = (frozenset(), True)
        self._execute()

    # ── what comes out ──────────────────────────────────────────────────────────────────────────────────────

    def summary(self) -> Summary:
        given = [self.entries[i] for i in self._left() if self.entries[i].session == GIVEN]
        lost = [p for p in given if self._key(p) not in self._committed_keys]
        commits = "no" if not self.commits else "may" if self.end[1] else "must"
        if self.acts and is_committing_decorator(self.graph, self.function):
            return Summary("must", outside=(), committed=())
        committed = [(self.entries[i].trace, c) for i, c in self.first_commit.items()]
        self.cut = self.cut or max(len(lost), len(self.outside), len(committed)) > _MAX_TRACES
        return Summary(
            commits,
            tuple(lost[:_MAX_TRACES]),
            tuple(self.outside.values())[:_MAX_TRACES],
            tuple(committed[:_MAX_TRACES]),
        )

    def lost(self) -> Iterator[Pending]:
        """Writes on sessions of its own that nobody commits."""
        locals_ = local_sessions(self.graph, self.function)
        for index in self._left():
            entry = self.entries[index]
            session = locals_.get(entry.session)
            if session is not None and session.ends == "open" and index not in self.first_commit:
                yield entry

    def met(self) -> Iterator[Meeting]:
        """What happened outside meanwhile, each with the commit that follows here."""
        for (index, _), each in self.meetings.items():
            commit = self.first_commit.get(index)
            yield replace(each, commit=commit) if commit is not None else each

    def _left(self) -> list[int]:
        return sorted({i for i, _ in self.end[0] if self.entries[i].until is None and not self._is_lock(i)})

    def _is_lock(self, index: int) -> bool:
        return self.entries[index].trace.act.kind == "lock"

    def _key(self, pending: Pending) -> tuple[int, int]:
        return id(pending.trace.site.node), id(pending.trace.act)

    @property
    def _committed_keys(self) -> set[tuple[int, int]]:
        return {self._key(self.entries[i]) for i in self.first_commit}

    # ── the walk ────────────────────────────────────────────────────────────────────────────────────────────

    def _execute(self) -> None:
        if not any(act.kind != "statement" for act in self.acts):
            return
        start: State = (frozenset(), True)
        if self._is_straight():
            self.end = self._through(start, sorted(self.acts, key=lambda act: act.site.statement.span))
            return
        graph = ControlFlowGraph(self.function)
        by_block = self._by_block(graph)
        order = graph.reverse_postorder()
        states: dict[int, State] = {graph.entry: start}
        for _ in range(_MAX_PASSES):
            if not self._pass(graph, order, by_block, states):
                break
        else:
            self.cut = True
        self.end = states.get(graph.exit, (frozenset(), False))

    def _is_straight(self) -> bool:
        """Every act happens on every way that returns: nothing has to be known about branches."""
        acts = (act for act in self.acts if act.kind != "statement")
        if any(context.role not in _STRAIGHT for act in acts for context in act.site.context):
            return False
        return all(
            context.role in _STRAIGHT
            for site in self.function.facts.sites(ir.Return)
            for context in site.context
        )

    def _by_block(self, graph: ControlFlowGraph) -> dict[int, list[Act]]:
        """Acts by the block that they happen in, in order."""
        at: dict[Place, list[Act]] = {}
        for act in self.acts:
            for place in graph.places_of(act.site):
                at.setdefault(place, []).append(act)
        by_block: dict[int, list[Act]] = {}
        for place in sorted(at):
            by_block.setdefault(place[0], []).extend(at[place])
        return by_block

    def _pass(
        self,
        graph: ControlFlowGraph,
        order: list[int],
        by_block: dict[int, list[Act]],
        states: dict[int, State],
    ) -> bool:
        """Once through all blocks; whether anything was learned."""
        changed = False
        for block in order:
            state = states.get(block)
            edges = graph.blocks[block].successors
            if state is None or not edges:
                continue
            after = self._through(state, by_block.get(block, ()))
            for edge in edges:
                # What raises has not happened.
                new = state if edge.kind == "exception" else after
                known = states.get(edge.target)
                merged = new if known is None else _merge(known, new)
                if merged != known:
                    states[edge.target] = merged
                    changed = True
        return changed

    def _through(self, state: State, acts: Iterable[Act]) -> State:
        for act in acts:
            state = self._step(state, act)
        return state

    def _step(self, state: State, act: Act) -> State:
        state = self._left_withs(state, act.site)
        pending, open_ = state
        if act.kind in ("write", "lock"):
            return pending | {(self._entry(Trace(act), act, act.session, act.sends), act.sends)}, open_
        if act.kind in ("flush", "statement"):
            return self._sent(pending, act.session), open_
        if act.kind == "commit":
            return self._commit(state, act.session, Trace(act), always=True)
        if act.kind == "unknown":
            return self._commit(state, act.session, Trace(act), always=False)
        if act.kind == "rollback":
            kept = frozenset(p for p in pending if self.entries[p[0]].session != act.session)
            return kept, open_ and act.session != GIVEN
        if act.kind in ("outside", "enqueue"):
            return self._meet(state, Trace(act), None)
        return self._call(state, act)

    def _call(self, state: State, act: Act) -> State:
        if act.kind == "later":
            state = self._meet(state, Trace(act), act.session)
        effect = self.flow.effect(act)
        for trace in effect.outside if act.kind == "call" else ():
            state = self._meet(state, trace.below(act.site), act.session)
        if effect.commits != "no":
            commit = Trace(act)
            state = self._commit(
                state, act.session, commit, always=effect.commits == "must" and act.kind == "call"
            )
        if act.kind == "later":
            return state
        pending, open_ = state
        for write, commit in effect.committed:
            index = self._entry(write.below(act.site), act, act.session, sends=True)
            if _is_switched_off(act, commit, self.graph):
                pending = pending | {(index, True)}
            else:
                self.first_commit.setdefault(index, commit.below(act.site))
        for each in effect.pending:
            if _is_switched_off(act, each.trace, self.graph):
                continue
            index = self._entry(each.trace.below(act.site), act, act.session, each.sends)
            pending = pending | {(index, each.sends)}
        return pending, open_

    def _entry(self, trace: Trace, act: Act, session: str, sends: bool) -> int:
        key = (id(act.site.node), id(trace.act))
        if key not in self.index:
            self.index[key] = len(self.entries)
            self.entries.append(Pending(trace, session, self._committing_with(act.site), sends))
        return self.index[key]

    def _sent(self, pending: frozenset[tuple[int, bool]], session: str) -> frozenset[tuple[int, bool]]:
        return frozenset((i, sent or self.entries[i].session == session) for i, sent in pending)

    def _commit(self, state: State, session: str, commit: Trace, *, always: bool) -> State:
        pending, open_ = state
        ended = [p for p in pending if self.entries[p[0]].session == session]
        self.commits = self.commits or session == GIVEN
        for index, _ in ended:
            if not self._is_lock(index):
                self.first_commit.setdefault(index, commit)
        # What may be committed is taken for committed: nothing is said about what comes after.
        return pending - frozenset(ended), open_ and (session != GIVEN or not always)

    def _meet(self, state: State, event: Trace, session: str | None) -> State:
        pending, open_ = state
        for index, sent in pending:
            entry = self.entries[index]
            key = (index, id(event.act))
            known = self.meetings.get(key)
            if known is None or (sent and not known.sent):
                self.meetings[key] = Meeting(self.function, entry, event, sent, None)
        if open_ and session in (None, GIVEN) and event.act.kind != "later":
            self.outside.setdefault((id(event.site.node), id(event.act)), event)
        return state

    # ── with ────────────────────────────────────────────────────────────────────────────────────────────────

    def _committing_with(self, site: Site) -> ir.With | None:
        """The innermost `with` around a place whose end commits."""
        for context in site.context:
            if context.role == "with" and isinstance(context.node, ir.With):
                key = id(context.node)
                if key not in self._ends:
                    self._ends[key] = any(
                        ends_transaction(self.graph, site, item) for item in context.node.items
                    )
                if self._ends[key]:
                    return context.node
        return None

    def _left_withs(self, state: State, site: Site) -> State:
        """Writes under a `with` that was left are committed by now."""
        pending, open_ = state
        if not any(self.entries[i].until is not None for i, _ in pending):
            return state
        around = {id(context.node) for context in site.context if context.role == "with"}
        ended = [
            p for p in pending if (until := self.entries[p[0]].until) is not None and id(until) not in around
        ]
        return pending - frozenset(ended), open_


def _is_switched_off(act: Act, trace: Trace, graph: AppGraph) -> bool:
    """It stands under `if dry_run:` or the like, and the call says, or leaves, that this is False."""
    for target in act.targets:
        for context in trace.site.context:
            test = getattr(context.node, "test", None)
            param = target.parameter(test.id) if context.role == "if" and isinstance(test, ir.Name) else None
            if param is None or trace.site.scope is not target:
                continue
            names = [each.name for each in target.parameters][1 if target.is_method else 0 :]
            given = argument(
                act.site.node, names.index(param.name) if param.name in names else None, param.name
            )
            value = given if given is not None else param.default
            if value is not None and graph.program.constants.value(value, act.site.scope) is False:
                return True
    return False


def _merge(one: State, other: State) -> State:
    return one[0] | other[0], one[1] or other[1]


@question
def session_flow(graph: AppGraph) -> SessionFlow:
    """The flow of a graph."""
    return SessionFlow(graph)


def sessions_not_fully_followed(graph: AppGraph) -> tuple[Function, ...]:
    """Functions for which a bound of the analysis was hit; nothing when no rule has asked for sessions."""
    flow = session_flow.known(graph)
    return tuple(flow.cut) if flow is not None else ()
