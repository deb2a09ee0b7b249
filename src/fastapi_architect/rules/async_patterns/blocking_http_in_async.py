"""A coroutine sends an HTTP request with a client that blocks.

`requests.get`, `httpx.get`, `urllib.request.urlopen` and the synchronous clients of other services hold the
thread until the answer is there. In a coroutine that thread is the event loop's: one slow upstream stops
every request of the worker.

Known limits: a client that is passed in without a type is recognised by its methods' names at best; code that
runs only before the server accepts requests is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.blocking_ways import on_the_loop
from fastapi_architect.analyses.event_loop import OnLoop
from fastapi_architect.analyses.offloading import (
    called_name,
    made_plain,
    may_be_plain,
    on_a_thread,
    whose_turn,
)
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Proof,
    Rule,
    Severity,
    first_route,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A coroutine sends an HTTP request with a blocking client",
    severity=Severity.IMPORTANT,
    cwe=400,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://fastapi.tiangolo.com/async/#asynchronous-code",
        "https://www.python-httpx.org/async/",
    ),
    requires=("httpx",),
)

_HTTP = ("get", "post", "put", "patch", "delete", "head", "options", "request")


@rule.check(per=BlockingCall)
def coroutine_waits_for_an_answer(blocking: BlockingCall, graph: AppGraph) -> Iterator[Finding]:
    if blocking.kind != "http" and not blocking.name.startswith("smtplib."):
        return
    on = on_the_loop(blocking, graph)
    if on is None or (
        blocking.name.startswith("smtplib.") and not _is_first_of_conversation(blocking, graph)
    ):
        return
    yield _finding(blocking, on, graph)


def _is_first_of_conversation(blocking: BlockingCall, graph: AppGraph) -> bool:
    """Of the many calls with which one mail is sent, the first."""
    assert blocking.function is not None
    calls = [b for b in graph.within(BlockingCall, blocking.function) if b.name.startswith("smtplib.")]
    return calls[0] is blocking


def _finding(blocking: BlockingCall, on: OnLoop, graph: AppGraph) -> Finding:
    function = blocking.function
    assert function is not None
    name = called_name(blocking.site)
    confidence = (
        Confidence.TENTATIVE
        if not on.serves
        else Confidence.CERTAIN
        if blocking.sure and on.sure
        else Confidence.FIRM
    )
    return rule.at(
        blocking,
        f"`{function.name}` {whose_turn(on, function)} and waits there for `{name}`: as long as the other "
        f"side takes, every "
        "other request of this worker waits.",
        _suggestion(blocking, graph),
        reasoning=f"`{blocking.name}` blocks its thread, and `{function.name}` is a coroutine function: the "
        f"thread is the event loop's.",
        exploit=f"A client sends {first_route(on.operations, function.name)} until the other side answers slowly; meanwhile "
        "health checks and all other routes of the worker get no answer.",
        confidence=confidence,
        trace=steps(
            (function, f"{function.name} {whose_turn(on, function)}"),
            (blocking, f"{name} blocks until the answer is there"),
        ),
        fix=made_plain(function, graph),
        routes=routes_of(on.operations),
        context=Context(stops_process=False),
        impact=float(len(on.operations)),
    )


def _suggestion(blocking: BlockingCall, graph: AppGraph) -> str:
    function = blocking.function
    assert function is not None
    name = function.name
    method = blocking.name.rpartition(".")[2]
    if blocking.name.startswith(("requests.", "httpx.")) and method in _HTTP:
        code = (
            f"async with httpx.AsyncClient(timeout=5) as client:\n    response = await client.{method}(...)"
        )
        first = (
            "Await an asynchronous client (one for the application is best):\n```python\nimport httpx\n"
            f"\n\n{definition(graph, function, code)}\n```"
        )
    else:
        code = f"response = {on_a_thread(blocking.site)}"
        first = f"Run the call on a thread:\n```python\nimport asyncio\n\n\n{definition(graph, function, code)}\n```"
    if may_be_plain(function, graph):
        first += f"\nOr declare `{name}` with `def`: it awaits nothing, and FastAPI then runs it on a thread."
    return first


rule.bad = """
    import httpx
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/rates/{currency}")
    async def read_rate(currency: str) -> str:
        answer = httpx.get(f"https://rates.example/{currency}", timeout=5)  # finding: blocking-http-in-async
        return answer.text
"""

rule.good = """
    import httpx
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/rates/{currency}")
    async def read_rate(currency: str) -> str:
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(f"https://rates.example/{currency}")
        return answer.text
"""


@rule.symptom
def the_loop_waits_for_another_host(proof: Proof) -> None:
    """While the other host takes its time, the event loop stands still and no other client is served."""
    proof.answer("https://rates.example/", text="1.1")
    assert proof.client.get("/rates/EUR").json() == "1.1"
    assert "httpx.Client.send" in proof.blocked
