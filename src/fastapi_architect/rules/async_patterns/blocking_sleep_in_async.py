"""A coroutine waits by holding its thread.

`time.sleep`, `threading.Event.wait`, `queue.Queue.get`, `Thread.join` and a future's `result()` hold the
thread that calls them. In a coroutine that thread is the event loop's, so every other request of the worker
waits as well.

Known limits: a wait that is told not to wait (`block=False`, a timeout of zero) is left out; locks that guard
a few statements are not reported.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.blocking_ways import on_the_loop
from fastapi_architect.analyses.event_loop import OnLoop
from fastapi_architect.analyses.offloading import called_name, import_edits, whose_turn
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Proof,
    Rule,
    Severity,
    argument,
    first_route,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A coroutine sleeps or waits in a way that stops the event loop",
    severity=Severity.IMPORTANT,
    cwe=400,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code",
        "https://fastapi.tiangolo.com/async/#asynchronous-code",
    ),
)

_INSTEAD = {
    "time.sleep": "await asyncio.sleep(seconds)",
    "threading.Event.wait": "await event.wait()  # of an asyncio.Event",
    "queue.Queue.get": "item = await queue.get()  # of an asyncio.Queue",
    "queue.Queue.join": "await queue.join()  # of an asyncio.Queue",
    "threading.Thread.join": "await asyncio.to_thread(thread.join)",
    "multiprocessing.Process.join": "await asyncio.to_thread(process.join)",
    "concurrent.futures.Future.result": "result = await asyncio.wrap_future(future)",
}
#: Guards of a few statements; whether they ever wait is not seen from here.
_SHORT = ("Lock.acquire", "Condition.wait")


@rule.check(per=BlockingCall)
def coroutine_holds_the_thread(blocking: BlockingCall, graph: AppGraph) -> Iterator[Finding]:
    if (
        blocking.kind not in ("sleep", "lock")
        or blocking.name.endswith(_SHORT)
        or _does_not_wait(blocking, graph)
    ):
        return
    on = on_the_loop(blocking, graph)
    if on is not None:
        yield _finding(blocking, on, graph)


def _does_not_wait(blocking: BlockingCall, graph: AppGraph) -> bool:
    """It is told not to wait, or for no time at all."""
    constants = graph.program.constants
    for name, position in (("block", 0), ("blocking", 0), ("timeout", None), ("timeout", 0), ("secs", 0)):
        given = argument(blocking.node, position, name)
        if given is not None:
            value = constants.value(given, blocking.scope)
            if value is False or (value == 0 and value is not True):
                return True
    return False


def _finding(blocking: BlockingCall, on: OnLoop, graph: AppGraph) -> Finding:
    function = blocking.function
    assert function is not None
    name = called_name(blocking.site)
    instead = _INSTEAD.get(blocking.name, "await asyncio.to_thread(...)")
    confidence = (
        Confidence.TENTATIVE
        if not on.serves
        else Confidence.CERTAIN
        if blocking.sure and on.sure
        else Confidence.FIRM
    )
    return rule.at(
        blocking,
        f"`{function.name}` {whose_turn(on, function)} and holds it in `{name}`: no other request of this "
        f"worker makes "
        "progress meanwhile.",
        f"Wait without holding the loop:\n```python\nimport asyncio\n\n\n"
        f"{definition(graph, function, f'# Bad: {name}(...){chr(10)}# Good{chr(10)}{instead}')}\n```",
        reasoning=f"`{blocking.name}` returns only when its wait is over, and it is called in a coroutine "
        f"function.",
        exploit=f"While {first_route(on.operations, function.name)} waits in `{name}`, the event loop itself "
        "waits, and no other request is served.",
        confidence=confidence,
        trace=steps(
            (function, f"{function.name} {whose_turn(on, function)}"), (blocking, f"{name} holds the thread")
        ),
        fix=_fix(blocking) if blocking.name == "time.sleep" else None,
        routes=routes_of(on.operations),
        context=Context(stops_process=False),
        impact=float(len(on.operations)),
    )


def _fix(blocking: BlockingCall) -> Fix | None:
    module = blocking.scope.module
    imports = import_edits(module, "asyncio")
    if imports is None:
        return None
    call = Edit(blocking.scope.location(blocking.node.func), "await asyncio.sleep")
    return Fix("Sleep without holding the loop", (*imports, call), safe=True)


rule.bad = """
    import time

    from fastapi import FastAPI

    app = FastAPI()
    states = iter(["queued", "running", "done"])


    @app.get("/jobs/{job_id}")
    async def wait_for_job(job_id: int) -> dict[str, int | str]:
        state = next(states, "done")
        while state != "done":
            time.sleep(0.5)  # finding: blocking-sleep-in-async
            state = next(states, "done")
        return {"id": job_id, "state": state}
"""

rule.good = """
    import asyncio

    from fastapi import FastAPI

    app = FastAPI()
    states = iter(["queued", "running", "done"])


    @app.get("/jobs/{job_id}")
    async def wait_for_job(job_id: int) -> dict[str, int | str]:
        state = next(states, "done")
        while state != "done":
            await asyncio.sleep(0.01)
            state = next(states, "done")
        return {"id": job_id, "state": state}
"""


@rule.symptom
def the_loop_sleeps(proof: Proof) -> None:
    """While one client waits for a job, the event loop itself sleeps, twice, and serves nobody."""
    assert proof.client.get("/jobs/1").json() == {"id": 1, "state": "done"}
    assert proof.blocked == ["time.sleep", "time.sleep"]
