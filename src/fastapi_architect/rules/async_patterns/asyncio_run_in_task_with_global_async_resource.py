"""A fresh event loop uses a pool or client that belongs to another one.

`asyncio.run` makes a loop and closes it. A worker that does this in each task, on a module's engine, Redis client or HTTP
client, succeeds once: the second task finds connections in the pool whose sockets belong to the loop that is gone, and
fails with "attached to a different loop" or "Event loop is closed". The same holds for threads beside the server's loop.

Known limits: with drivers whose connections work on any loop (psycopg, aiosqlite) it fails only once somebody has waited
for a full pool, and is reported as tentative. Pools that are disposed of in the same coroutine are left alone; what is
behind an object of a library is not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from fastapi_architect.analyses.callers import calls_inside
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.event_loop import event_loop
from fastapi_architect.analyses.loop_bound import LoopBound, loop_bound
from fastapi_architect.concepts.concurrency import LoopRun, ThreadOffload, ThreadStart
from fastapi_architect.concepts.database import Commit, DatabaseCall, Rollback, SessionClose
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    Site,
    dotted_name,
    ir,
    last_name,
    steps,
)

rule = Rule(
    __name__,
    "A loop of its own for each task uses a pool that belongs to another loop",
    severity=Severity.CRITICAL,
    cwe=664,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#using-multiple-asyncio-event-loops",
        "https://docs.python.org/3/library/asyncio-runner.html#asyncio.run",
    ),
    requires=("celery", "redis"),
)

#: Libraries whose workers run coroutines on one loop themselves.
_ASYNC_WORKERS = frozenset({"arq", "taskiq"})
_GIVES_BACK = frozenset({"dispose", "aclose", "close", "disconnect"})


class _Runner(msgspec.Struct, frozen=True, eq=False):
    """Who runs the fresh loop: in words, and as a place."""

    what: str
    function: Function


@rule.check(per=AppGraph)
def another_loop(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    runs = [
        run for run in graph.facts(LoopRun) if _is_fresh(run, graph) and run.scope.module.kind == "source"
    ]
    if not runs or not loop_bound(graph).any:
        return
    repeated = _repeated(graph)
    for run in runs:
        for site, coroutines in _given(run, graph):
            runner = _runner(site, repeated, graph)
            if runner is not None:
                used = _used(coroutines, graph)
                if used is not None:
                    yield _finding(run, site, runner, *used)
                    break


def _is_fresh(run: LoopRun, graph: AppGraph) -> bool:
    """A loop is made for this one call."""
    name = last_name(run.node.func)
    if name == "run_until_complete":
        receiver = getattr(run.node.func, "value", None)
        if not isinstance(receiver, ir.Name) or run.function is None:
            return False
        made = run.function.facts.bindings.get(receiver.id, ())
        return any(isinstance(b.value, ir.Call) and last_name(b.value.func) == "new_event_loop" for b in made)
    return "from_thread" not in " ".join(graph.program.calls.names(run.site))


def _given(run: LoopRun, graph: AppGraph) -> Iterator[tuple[Site, list[Function]]]:
    """Coroutine functions that are run, each with the place that names them: here, or where a helper is called."""
    expr = run.coroutine
    if isinstance(expr, ir.Name) and run.function is not None:
        position = next((i for i, p in enumerate(run.function.parameters) if p.name == expr.id), None)
        if position is not None:
            for site in event_loop(graph).callers.sites(run.function):
                given = argument(site.node, position, expr.id) if isinstance(site.node, ir.Call) else None
                yield site, _coroutines(given, site, graph)
            return
    yield run.site, _coroutines(expr, run.site, graph)


def _coroutines(expr: ir.Expr | None, site: Site, graph: AppGraph) -> list[Function]:
    if expr is None:
        return []
    if not isinstance(expr, ir.Call):
        if isinstance(expr, ir.Name):
            expanded, scope = graph.program.inference.expand(expr, site.scope)
            if isinstance(expanded, ir.Call):
                return _called(expanded, scope.facts.calls, graph)
        return event_loop(graph).callers.functions_of(expr, site.scope)
    return _called(expr, site.scope.facts.calls, graph)


def _called(expr: ir.Call, sites: Iterable[Site], graph: AppGraph) -> list[Function]:
    inside = {id(call) for call in calls_inside(expr)}
    return [t for s in sites if id(s.node) in inside for t in graph.program.calls.targets(s)]


# ── who runs it, again and again


def _repeated(graph: AppGraph) -> dict[int, _Runner]:
    """Functions that workers, threads and requests on threads reach, by identity."""
    found: dict[int, _Runner] = {}
    for task in graph.tasks:
        if task.library not in _ASYNC_WORKERS and not task.function.is_async:
            _reach(found, graph, task.function, f"the {task.library} task `{task.function.name}`")
    callers = event_loop(graph).callers
    starts: tuple[ThreadStart | ThreadOffload, ...] = (*graph.facts(ThreadStart), *graph.facts(ThreadOffload))
    for start in starts:
        if start.target is not None and start.scope.module.kind == "source":
            for target in callers.functions_of(start.target, start.scope):
                _reach(found, graph, target, f"the thread that runs `{target.name}`")
    for operation in graph.operations:
        handler = operation.handler
        if handler is not None and not handler.is_async:
            _reach(found, graph, handler, f"the thread that serves `{operation.names[0]}`")
    return found


def _reach(found: dict[int, _Runner], graph: AppGraph, function: Function, what: str) -> None:
    for each in effects(graph).reached([function])[0]:
        found.setdefault(id(each), _Runner(what, function))


def _runner(site: Site, repeated: dict[int, _Runner], graph: AppGraph) -> _Runner | None:
    scope = site.scope
    if not isinstance(scope, Function) or scope.module.kind != "source":
        return None
    inside = site.context.inside("lambda")
    if inside is not None:  # `run_in_executor(None, lambda: asyncio.run(work()))`
        offloaded = any(o.target is inside.node for o in graph.within(ThreadOffload, scope))
        return _Runner("the thread that is started here", scope) if offloaded else None
    return repeated.get(id(scope))


# ── what it uses


def _used(coroutines: list[Function], graph: AppGraph) -> tuple[LoopBound, Site] | None:
    """The first object of another loop that the coroutines use, unless they give it back themselves."""
    objects = loop_bound(graph)
    reached, _ = effects(graph).reached(coroutines)
    given_back = {
        last_name(getattr(site.node.func, "value", site.node.func))
        for function in reached
        for site in function.facts.calls_named(*_GIVES_BACK)
    }
    asks = any(_asks(call) for function in reached for call in graph.within(DatabaseCall, function))
    uses = (use for function in reached for use in objects.used_in(function))
    return next(
        (
            (each, place)
            for each, place in uses
            if each.name not in given_back and (asks or each.kind != "engine")
        ),
        None,
    )


def _asks(call: DatabaseCall) -> bool:
    """A connection is needed for it; ending a transaction that never began needs none."""
    return call.round_trip and not isinstance(call, Commit | Rollback | SessionClose)


def _finding(run: LoopRun, site: Site, runner: _Runner, used: LoopBound, place: Site) -> Finding:
    makes = dotted_name(run.node.func) or "the call"
    fails = "`RuntimeError: ... attached to a different loop` or `Event loop is closed`"
    if used.once_full:
        fails = "`RuntimeError: ... is bound to a different event loop`, from the first time on that somebody had to wait for it"
    found = rule.at(
        site,
        f"`{makes}` makes a new event loop in {runner.what}, and what it runs uses `{used.name}`, the module's {used.what}, "
        "which belongs to the loop that used it first.",
        _suggestion(used),
        reasoning=f"`{used.name}` is made once in the process and keeps connections or waiters of the loop they were opened on. "
        f"`{makes}` closes its loop at the end, so the next one finds them dead.",
        exploit=f"When {runner.what} gets here again in one process, it fails with {fails}.",
        confidence=_confidence(used),
        trace=steps(
            (used.location, f"{used.name} is made once for the process"),
            (runner.function, f"{runner.what} runs again and again"),
            (site, f"{makes} makes a loop"),
            (place, f"{used.name} is used on it"),
        ),
    )
    return replace(found, severity=Severity.IMPORTANT) if used.once_full else found


def _confidence(used: LoopBound) -> Confidence:
    if used.once_full:
        return Confidence.TENTATIVE
    return Confidence.CERTAIN if used.sure else Confidence.FIRM


def _suggestion(used: LoopBound) -> str:
    if used.kind == "engine":
        return (
            "Use a synchronous engine in workers, or one whose connections are not kept:\n```python\n"
            f"{used.name} = create_async_engine(url, poolclass=NullPool)\n```\n"
            "Or keep one loop for the whole worker process:\n```python\nrunner = asyncio.Runner()  # once\nrunner.run(work())\n```"
        )
    return (
        f"Make the {used.what} inside the coroutine, and close it there:\n```python\n"
        f"async def work() -> None:\n    async with make_{used.kind}() as {used.name}:\n        ...\n```\n"
        "Or keep one loop for the whole worker process:\n```python\nrunner = asyncio.Runner()  # once\nrunner.run(work())\n```"
    )


rule.bad = """
    import asyncio

    from celery import Celery
    from fastapi import FastAPI
    from redis.asyncio import Redis

    app = FastAPI()
    worker = Celery("shop", broker="redis://localhost")
    redis = Redis(host="localhost")


    async def count_visit(page: str) -> int:
        return await redis.incr(f"visits:{page}")


    @worker.task
    def remember_visit(page: str) -> int:
        return asyncio.run(count_visit(page))  # finding: asyncio-run-in-task-with-global-async-resource


    @app.get("/{page}")
    def show(page: str) -> str:
        remember_visit.delay(page)
        return page
"""

rule.good = """
    import asyncio

    from celery import Celery
    from fastapi import FastAPI
    from redis.asyncio import Redis

    app = FastAPI()
    worker = Celery("shop", broker="redis://localhost")


    async def count_visit(page: str) -> int:
        async with Redis(host="localhost") as redis:
            return await redis.incr(f"visits:{page}")


    @worker.task
    def remember_visit(page: str) -> int:
        return asyncio.run(count_visit(page))


    @app.get("/{page}")
    def show(page: str) -> str:
        remember_visit.delay(page)
        return page
"""


@rule.symptom
def the_second_task_fails(proof: Proof) -> None:
    """The worker's first task succeeds, and the second finds a connection of a loop that is closed."""
    for page in ("home", "home"):
        assert proof.client.get(f"/{page}").status_code == 200
    first, second = proof.deliver()
    assert first.result == 1
    assert isinstance(second.result, RuntimeError)
