"""What happens outside while the transaction of a request or task is open, and who commits it in the end?"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.request_transactions import commits_by_itself, ends_later, lost_writes
from fastapi_architect.analyses.session_flow import Meeting, session_flow
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.findings.finding import Step
from fastapi_architect.program.definitions import Function
from fastapi_architect.program.facts import Site
from fastapi_architect.source.location import Location


class OpenTransaction(msgspec.Struct, frozen=True, eq=False):
    """Something outside that happens between a write and its commit, in work that requests or workers cause.

    Attributes:
        meeting: what meets what, and where.
        operations: operations that come by.
        committer: the dependency or middleware that commits behind the handler; None when the function or a caller does.
    """

    meeting: Meeting
    operations: tuple[PathOperation, ...]
    committer: Function | None

    @property
    def end(self) -> str:
        """Who commits, as part of a sentence."""
        meeting = self.meeting
        if meeting.commit is not None:
            return f"line {_line(meeting.commit.site)} commits"
        if meeting.write.until is not None:
            return "the end of the `with` commits"
        if self.committer is not None:
            return f"`{self.committer.name}` commits when the handler is done"
        return "the caller commits"

    def steps(self) -> Iterator[Step]:
        """The write, what happens meanwhile, and the commit, each with the calls on the way."""
        meeting = self.meeting
        if self.operations:
            yield Step(
                meeting.function.location(),
                f"{self.operations[0].names[0]} gets to `{meeting.function.name}`",
            )
        yield from _way((*meeting.write.trace.hops, meeting.write.trace.act.site), "writes")
        yield from _way((*meeting.event.hops, meeting.event.act.site), "meanwhile")
        if meeting.commit is not None:
            yield Step(_place(meeting.commit.site), "the commit")
        elif self.committer is not None:
            yield Step(self.committer.location(), f"`{self.committer.name}` commits when the handler is done")


def _way(sites: tuple[Site, ...], what: str) -> Iterator[Step]:
    for hop in sites[:-1]:
        yield Step(_place(hop), f"{what}: calls")
    yield Step(_place(sites[-1]), what)


def _place(site: Site) -> Location:
    return site.scope.location(site.node)


def _line(site: Site) -> int:
    return _place(site).line


@question
def open_transactions(graph: AppGraph) -> tuple[OpenTransaction, ...]:
    """All of them, in order of functions; transactions that nobody commits left out."""
    if commits_by_itself(graph):
        return ()
    lost = {id(each.write.trace.act) for each in lost_writes(graph)}
    return tuple(_find(graph, lost))


def _find(graph: AppGraph, lost: set[int]) -> Iterator[OpenTransaction]:
    tasks = {id(task.function) for task in graph.tasks}
    for meeting in session_flow(graph).meetings:
        function = meeting.function
        if function.module.kind != "source" or id(meeting.write.trace.act) in lost:
            continue
        if meeting.event.site.context.inside("handler") is not None:
            continue  # the transaction has failed
        operations = graph.entries(function)
        if not operations and id(function) not in tasks and not _called_by_task(graph, function, tasks):
            continue
        committer = None
        if meeting.commit is None and meeting.write.until is None:
            ends = ends_later(graph, meeting.write.trace)
            committer = ends[1] if ends is not None else None
        yield OpenTransaction(meeting, operations, committer)


def _called_by_task(graph: AppGraph, function: Function, tasks: set[int]) -> bool:
    """A worker gets to the function through calls."""
    seen = {id(function)}
    frontier = [function]
    while frontier and len(seen) < _MAX_CALLERS:
        following = []
        for current in frontier:
            for site in graph.program.calls.callers(current):
                scope = site.scope
                if isinstance(scope, Function) and id(scope) not in seen:
                    if id(scope) in tasks:
                        return True
                    seen.add(id(scope))
                    following.append(scope)
        frontier = following
    return False


_MAX_CALLERS = 200
