"""Does anything keep two requests from changing the same row at the same time: a lock, a version column, the isolation level?"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.effects import effects
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.concepts.concurrency import Lock
from fastapi_architect.concepts.database import QueryStep, SessionGet
from fastapi_architect.program.definitions import Class, Function
from fastapi_architect.syntax import ir

#: Callers that are asked whether they hold a lock, upwards.
_MAX_DEPTH = 4
_ISOLATED = ("SERIALIZABLE", "REPEATABLE")


@question
def _locking_scopes(graph: AppGraph) -> frozenset[int]:
    """Bodies that lock rows or take a lock of any kind."""
    found = {id(step.scope) for step in graph.facts(QueryStep) if step.kind == "lock"}
    found.update(id(get.scope) for get in graph.facts(SessionGet) if get.lock is not None)
    found.update(graph.scopes_with(Lock))
    for function in graph.program.functions:
        if any(_says_lock(name) for name in function.node.called):
            found.add(id(function))
    return frozenset(found)


def _says_lock(name: str) -> bool:
    """`pg_advisory_xact_lock`, `acquire_lock`, `with_for_update`."""
    return "lock" in name.lower().split("_") or name in ("with_for_update", "Lock", "FileLock")


@question_about
def takes_lock(graph: AppGraph, function: Function) -> bool:
    """The function, or something that it calls, locks."""
    reached, complete = effects(graph).reached([function])
    locking = _locking_scopes(graph)
    return not complete or any(id(each) in locking for each in reached)


@question_about
def is_under_lock(graph: AppGraph, function: Function) -> bool:
    """The function, or one that calls it, locks: in its own body or by a helper."""
    seen = {id(function)}
    frontier = [function]
    for _ in range(_MAX_DEPTH):
        following = []
        for current in frontier:
            if id(current) in _locking_scopes(graph) or any(
                takes_lock(graph, f) for f in _helpers(graph, current)
            ):
                return True
            for site in graph.program.calls.callers(current):
                scope = site.scope
                if isinstance(scope, Function) and id(scope) not in seen and scope.module.kind == "source":
                    seen.add(id(scope))
                    following.append(scope)
        frontier = following
    return False


def _helpers(graph: AppGraph, function: Function) -> Iterator[Function]:
    """What a body calls, and the dependencies that run before it."""
    for site in function.facts.calls:
        yield from graph.program.calls.targets(site)
    for operation in graph.operations_running(function):
        yield from (each for each in operation.functions if each is not function)


@question_about
def has_version_column(graph: AppGraph, cls: Class) -> bool:
    """`__mapper_args__` names a `version_id_col`: an update of an old row fails."""
    for each in graph.program.inference.hierarchy.order(cls):
        if not isinstance(each.cls, Class):
            continue
        scopes = [each.cls, *(f for f in each.cls.functions if f.name == "__mapper_args__")]
        for scope in scopes:
            for site in scope.facts.sites(ir.Dict):
                if any(
                    isinstance(key, ir.Constant) and key.value == "version_id_col" for key in site.node.keys
                ):
                    return True
    return False


@question
def is_isolated(graph: AppGraph) -> bool:
    """Some engine runs transactions at a level at which the second of two such updates fails."""
    return any(
        str(engine.options.get("isolation_level")).upper().replace("_", " ").startswith(_ISOLATED)
        for engine in graph.database.engines
    )


def is_guarded(graph: AppGraph, model: Model, function: Function) -> bool:
    """Rows of a model are safe from others while a function changes them."""
    return is_isolated(graph) or has_version_column(graph, model.cls) or is_under_lock(graph, function)
