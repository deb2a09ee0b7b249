"""What the lifespan starts, it does not stop.

A task that the start of the service creates, or a client that it opens, goes on until the process ends.
Without a `cancel` or a `close` behind the `yield`, a task is cut off in the middle of its work and
connections are left to the other side's patience.

Known limits: what is stored in a container and stopped there is taken to be stopped.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.offloading import called_name
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.analyses.surroundings import nodes_of
from fastapi_architect.concepts.concurrency import TaskSpawn
from fastapi_architect.concepts.http import ClientCreation
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    dotted_name,
    ir,
    steps,
)

rule = Rule(
    __name__,
    "The lifespan starts a task or a client that it never stops",
    severity=Severity.MINOR,
    cwe=772,
    references=(
        "https://fastapi.tiangolo.com/advanced/events/#lifespan",
        "https://docs.python.org/3/library/asyncio-task.html#asyncio.Task.cancel",
    ),
)


@rule.check(per=Application)
def started_and_never_stopped(application: Application, graph: AppGraph) -> Iterator[Finding]:
    function = application.lifespan.function
    if function is None or function.module.kind != "source" or not function.is_generator:
        return
    last = max((s.node.span for s in function.facts.sites(ir.Yield)), default=0)
    later = _names_behind(function, last)
    found: list[TaskSpawn | ClientCreation] = [
        s for s in graph.within(TaskSpawn, function) if s.kind == "task"
    ]
    found += [c for c in graph.within(ClientCreation, function) if not c.managed]
    for started in found:
        name = _kept_as(started)
        if started.node.span < last and name and not _is_stopped(name, later):
            yield _finding(started, name, function, graph)


def _kept_as(started: TaskSpawn | ClientCreation) -> str:
    """The one plain name or attribute that it is assigned to, or ""."""
    statement = started.site.statement
    if (
        statement.__class__ is not ir.Assign
        or statement.value is not started.node
        or len(statement.targets) != 1
    ):
        return ""
    return dotted_name(statement.targets[0])


def _names_behind(function: Function, last: int) -> set[str]:
    """Dotted names that stand behind the last `yield`."""
    found = set()
    for node in nodes_of(function):
        if node.__class__ in (ir.Name, ir.Attribute) and node.span > last:
            found.add(dotted_name(node))
    return found


def _is_stopped(name: str, later: set[str]) -> bool:
    last = name.rpartition(".")[2]
    return any(last in each.split(".") for each in later)


def _finding(started: TaskSpawn | ClientCreation, name: str, function: Function, graph: AppGraph) -> Finding:
    is_task = isinstance(started, TaskSpawn)
    stop = f"{name}.cancel()" if is_task else f"await {name}.aclose()"
    body = f"{name} = {called_name(started.site)}(...)\ntry:\n    yield\nfinally:\n    {stop}"
    return rule.at(
        started,
        f"`{function.name}` {'starts the task' if is_task else 'opens the client'} `{name}` and does nothing "
        f"about it behind its "
        f"`yield`: {'cancel' if is_task else 'close'} it there.",
        f"Stop it when the service stops:\n```python\n{definition(graph, function, body)}\n```",
        reasoning=f"`{name}` is not mentioned behind the last `yield` of the lifespan.",
        exploit=f"`{function.name}` has ended, and {'the task' if is_task else 'the client'} `{name}` has not been told.",
        confidence=Confidence.FIRM,
        trace=steps((started, f"{name} is started here"), (function, "and not stopped in this lifespan")),
    )


rule.bad = """
    import asyncio
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    from fastapi import FastAPI

    stopped: list[str] = []


    async def poll() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            stopped.append("poll")
            raise


    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        poller = asyncio.create_task(poll())  # finding: no-graceful-shutdown
        yield


    app = FastAPI(lifespan=lifespan)
"""

rule.good = """
    import asyncio
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager, suppress

    from fastapi import FastAPI

    stopped: list[str] = []


    async def poll() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            stopped.append("poll")
            raise


    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        poller = asyncio.create_task(poll())
        yield
        poller.cancel()
        with suppress(asyncio.CancelledError):
            await poller


    app = FastAPI(lifespan=lifespan)
"""


@rule.symptom
def the_task_outlives_the_lifespan(proof: Proof) -> None:
    """The lifespan has ended, and the task that it started has not been told."""
    import asyncio

    main = proof.module()

    async def start_and_stop() -> list[str]:
        async with main.lifespan(main.app):
            await asyncio.sleep(0)
        return list(main.stopped)

    assert asyncio.run(start_and_stop()) == []
