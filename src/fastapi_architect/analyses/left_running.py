"""What goes on running when the request that started it is over: background tasks, and tasks and threads that nobody awaits."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.injected_values import names_read
from fastapi_architect.analyses.session_use import Handed, offloaded
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.concurrency import TaskSpawn, ThreadOffload, ThreadStart
from fastapi_architect.concepts.messaging import BackgroundTaskAdd
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir

#: Methods of a task or thread that wait for it, or end it.
_ENDS = frozenset({"join", "result", "cancel"})
#: What is done with a task only to keep it alive.
_KEEPS = frozenset({"add", "add_done_callback", "discard"})


class LeftRunning(msgspec.Struct, frozen=True, eq=False):
    """Something that is started and not waited for.

    Attributes:
        concept: what starts it.
        handed: the function and its arguments.
        kind: background (FastAPI runs it after the response), task (the loop runs it at once) or thread.
    """

    concept: Concept
    handed: Handed
    kind: str


@question
def left_running(graph: AppGraph) -> tuple[LeftRunning, ...]:
    """All of it in the program's own functions, background tasks first."""
    return tuple(
        each
        for each in (*_background(graph), *_tasks(graph), *_threads(graph))
        if each.concept.function is not None and each.concept.scope.module.kind == "source"
    )


def _background(graph: AppGraph) -> Iterator[LeftRunning]:
    for added in graph.facts(BackgroundTaskAdd):
        if added.target is not None:
            handed = Handed(added.target, added.args, added.keywords, added.scope)
            yield LeftRunning(added, handed, "background")


def _tasks(graph: AppGraph) -> Iterator[LeftRunning]:
    for spawn in graph.facts(TaskSpawn):
        given = spawn.coroutines[0] if spawn.coroutines else None
        if spawn.kind == "task" and isinstance(given, ir.Call) and _is_left(spawn.site):
            yield LeftRunning(spawn, Handed(given.func, given.args, given.keywords, spawn.scope), "task")


def _threads(graph: AppGraph) -> Iterator[LeftRunning]:
    for start in graph.facts(ThreadStart):
        if start.target is not None and start.kind == "thread" and _is_left(start.site, chained="start"):
            given = argument(start.node, 2, "args")
            args = given.elts if isinstance(given, ir.Sequence) else ()
            yield LeftRunning(start, Handed(start.target, args, (), start.scope), "thread")
    for offload in graph.facts(ThreadOffload):
        name = last_name(offload.node.func)
        if name in ("submit", "run_in_executor") and _is_left(offload.site):
            yield LeftRunning(offload, offloaded(offload), "thread")


def _is_left(site: Site, chained: str = "") -> bool:
    """Its result is dropped, or kept in a name that is never waited for."""
    if site.context.role == "statement-value":
        return True
    statement = site.statement
    if (
        chained
        and isinstance(statement, ir.ExprStmt)
        and last_name(getattr(statement.value, "func", statement.value)) == chained
    ):
        return True
    if not isinstance(statement, ir.Assign) or statement.value is not site.node:
        return False
    target = statement.targets[0]
    return (
        isinstance(target, ir.Name)
        and isinstance(site.scope, Function)
        and not _is_used(target.id, site.scope)
    )


def _is_used(name: str, function: Function) -> bool:
    """Somebody may wait for the value of a name, or end it."""
    if function.functions or name in function.facts.is_global:
        return True
    facts = function.facts
    if any(
        name in names_read(site.node.value) for kind in (ir.Await, ir.Return) for site in facts.sites(kind)
    ):
        return True
    for site in facts.calls:
        func = site.node.func
        if dotted_name(func) in {f"{name}.{each}" for each in _ENDS}:
            return True
        given = [*site.node.args, *(k.value for k in site.node.keywords)]
        if last_name(func) not in _KEEPS and any(name in names_read(each) for each in given):
            return True
    stored = (site.node for site in facts.sites(ir.Assign))
    return any(name in names_read(each.value) for each in stored if each.value.__class__ is not ir.Call)
