"""A coroutine calls an ordinary function that blocks somewhere below.

An event loop runs one thing at a time. While `requests.get`, `time.sleep` or a synchronous database driver
waits inside a helper, no other request of this worker makes progress. The `async def` looks innocent: the
blocking call may stand two modules away. Reported at the first call on the loop, with every hop to the call
that blocks; further calls of the coroutine that wait for the same kind of thing are named, not reported
again.

Known limits: reads of local files and waits for locks inside the process are not counted here. Code that runs
only before the server accepts requests is left out, and so is what is made once and kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.blocking_ways import BlockingWay, FirstCall, blocking_ways
from fastapi_architect.analyses.event_loop import OnLoop, event_loop
from fastapi_architect.analyses.offloading import (
    called_name,
    made_plain,
    may_be_plain,
    on_a_thread,
    whose_turn,
)
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Files,
    Finding,
    Proof,
    Rule,
    Severity,
    Site,
    Step,
    first_route,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A coroutine calls a synchronous helper that blocks the event loop",
    severity=Severity.IMPORTANT,
    cwe=400,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://fastapi.tiangolo.com/async/#very-technical-details",
        "https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code",
    ),
)

#: How many of several calls are named.
_SHOWN = 3


@rule.check(per=AppGraph)
def coroutine_waits_for_a_helper(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    loop = event_loop(graph)
    groups: dict[tuple[int, str], list[FirstCall]] = {}
    for call in blocking_ways(graph).first_calls():
        if call.coroutine.module.kind == "source" and loop.serving(call.coroutine):
            groups.setdefault((id(call.coroutine), call.ways[0].blocking.kind), []).append(call)
    for calls in groups.values():
        yield _finding(calls[0], calls[1:], loop.of(calls[0].coroutine), graph)


def _finding(call: FirstCall, others: list[FirstCall], on: OnLoop, graph: AppGraph) -> Finding:
    coroutine = call.coroutine
    helper = called_name(call.site)
    nearest = call.ways[0]
    blocks = called_name(nearest.blocking.site)
    return rule.at(
        call.site,
        f"`{coroutine.name}` {whose_turn(on, coroutine)} and calls `{helper}`, which blocks in `{blocks}` "
        f"({nearest.blocking.location}){_and_more(others)}: every other request of this worker waits as "
        f"long.",
        _suggestion(call, nearest, graph),
        reasoning=f"`{blocks}` holds its thread until it returns ({_waits_for(nearest)}); nothing on the way "
        f"hands the work to a thread "
        "or process.",
        exploit=f"While {first_route(on.operations, coroutine.name)} is in `{blocks}`, the event loop's thread "
        "stands still, and no other request is served.",
        confidence=Confidence.CERTAIN if nearest.sure and on.sure else Confidence.FIRM,
        trace=_trace(call, others),
        fix=made_plain(coroutine, graph),
        routes=routes_of(on.operations),
        context=Context(stops_process=False),
        impact=float(len(on.operations)),
    )


def _and_more(others: list[FirstCall]) -> str:
    if not others:
        return ""
    names = list(dict.fromkeys(called_name(call.site) for call in others))
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"; so {'do' if len(names) > 1 else 'does'} {shown}{more}"


def _waits_for(way: BlockingWay) -> str:
    what = {
        "sleep": "it sleeps",
        "http": "it waits for an HTTP answer",
        "network": "it waits for the network",
        "database": "it waits for the database",
        "subprocess": "it waits for another process",
        "cpu": "it computes",
    }
    return what.get(way.blocking.kind, way.blocking.kind)


def _suggestion(call: FirstCall, nearest: BlockingWay, graph: AppGraph) -> str:
    name = call.coroutine.name
    body = f"result = {on_a_thread(call.site)}"
    on_thread = f"```python\nimport asyncio\n\n\n{definition(graph, call.coroutine, body)}\n```"
    awaitable = (
        f"\nOr make it awaitable to the end, with {nearest.blocking.instead}."
        if nearest.blocking.instead and "to_thread" not in nearest.blocking.instead
        else ""
    )
    if may_be_plain(call.coroutine, graph):
        return (
            f"`{name}` awaits nothing: declare it with `def`, and FastAPI runs it on a thread.\n"
            f"```python\n{definition(graph, call.coroutine, is_async=False)}\n```{awaitable}"
        )
    return f"Run the helper on a thread:\n{on_thread}{awaitable}"


def _trace(call: FirstCall, others: list[FirstCall]) -> tuple[Step, ...]:
    hops = [(site, f"{site.scope.name} {_does(site)} {called_name(site)}") for site in call.ways[0].hops]
    ends = [
        (way.blocking, f"{called_name(way.blocking.site)} blocks: {_waits_for(way)}")
        for way in call.ways[:_SHOWN]
    ]
    also = [
        (each.site, f"{each.coroutine.name} also {_does(each.site)} {called_name(each.site)}")
        for each in others[:_SHOWN]
    ]
    return steps(*hops, *ends, *also)


def _does(site: Site) -> str:
    return "calls" if hasattr(site.node, "func") else "reads"


rule.bad = Files(
    {
        "main.py": """
        from fastapi import FastAPI

        from rates import rate_of

        app = FastAPI()


        @app.get("/price")
        async def price(currency: str = "EUR") -> float:
            return 10 * rate_of(currency)  # finding: blocking-call-through-sync-helper
    """,
        "rates.py": """
        import time


        def rate_of(currency: str) -> float:
            return _ask(currency)


        def _ask(currency: str) -> float:
            time.sleep(0.2)
            return 1.1 if currency == "EUR" else 1.0
    """,
    }
)

rule.good = Files(
    {
        "main.py": """
        import asyncio

        from fastapi import FastAPI

        from rates import rate_of

        app = FastAPI()


        @app.get("/price")
        async def price(currency: str = "EUR") -> float:
            return 10 * await asyncio.to_thread(rate_of, currency)
    """,
        "rates.py": """
        import time


        def rate_of(currency: str) -> float:
            return _ask(currency)


        def _ask(currency: str) -> float:
            time.sleep(0.2)
            return 1.1 if currency == "EUR" else 1.0
    """,
    }
)


@rule.symptom
def the_loop_stands_still(proof: Proof) -> None:
    """While one client asks for a price, the loop cannot serve anybody else: the sleep is counted on the
    loop's thread.
    """
    assert proof.client.get("/price").status_code == 200
    assert "time.sleep" in proof.blocked
