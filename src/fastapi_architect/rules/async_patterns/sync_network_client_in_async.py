"""A coroutine waits for Redis, a queue or another service through a synchronous client.

The clients of Redis, message brokers, search servers and directories exist twice: one waits, one is awaited.
The one that waits holds the event loop, for as long as the network and the other side take.

Known limits: the first call of a coroutine is reported and the others are counted; a client that is passed
without a type is not recognised.
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
    Function,
    Proof,
    Rule,
    Severity,
    first_route,
    ir,
    last_name,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A coroutine talks to Redis or another service through a blocking client",
    severity=Severity.IMPORTANT,
    cwe=400,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://redis.readthedocs.io/en/stable/examples/asyncio_examples.html",
        "https://fastapi.tiangolo.com/async/#asynchronous-code",
    ),
    requires=("redis",),
)

#: How many of several calls are named.
_SHOWN = 4


@rule.check(per=Function, having=(BlockingCall,))
def coroutine_waits_for_a_service(function: Function, graph: AppGraph) -> Iterator[Finding]:
    if not function.is_async:
        return
    calls = [
        b
        for b in graph.within(BlockingCall, function)
        if b.kind == "network" and not b.name.startswith("smtplib.") and not _asks_itself(b, graph)
    ]
    found = [(b, on) for b in calls if (on := on_the_loop(b, graph)) is not None]
    if found:
        yield _finding(found[0][0], [b for b, _ in found[1:]], found[0][1], graph)


def _asks_itself(blocking: BlockingCall, graph: AppGraph) -> bool:
    """`gethostbyname(gethostname())`: the machine's own name stands in a file."""
    if not blocking.name.startswith("socket.get"):
        return False
    args = blocking.node.args
    if not args:
        return True
    made, _ = graph.program.inference.expand(args[0], blocking.scope)
    return made.__class__ is ir.Call and last_name(made.func) in ("gethostname", "getfqdn")


def _finding(first: BlockingCall, others: list[BlockingCall], on: OnLoop, graph: AppGraph) -> Finding:
    function = first.function
    assert function is not None
    name = called_name(first.site)
    more = f" ({1 + len(others)} such calls in it)" if others else ""
    confidence = Confidence.CERTAIN if first.sure and on.sure else Confidence.FIRM
    return rule.at(
        first,
        f"`{function.name}` {whose_turn(on, function)} and waits there for `{name}`{more}: every other "
        f"request of this "
        "worker waits as long.",
        _suggestion(first, graph),
        reasoning=f"`{first.name}` is a blocking call: it holds the event loop's thread until the other side "
        f"has answered.",
        exploit=f"While {first_route(on.operations, function.name)} waits in `{name}`, the event loop's thread "
        "stands still, and no other request is served.",
        confidence=confidence if on.serves else Confidence.TENTATIVE,
        trace=steps(
            (function, f"{function.name} {whose_turn(on, function)}"),
            *((b, f"{called_name(b.site)} waits for the network") for b in (first, *others[:_SHOWN])),
        ),
        fix=made_plain(function, graph),
        routes=routes_of(on.operations),
        context=Context(stops_process=False),
        impact=float(len(on.operations)),
    )


def _suggestion(first: BlockingCall, graph: AppGraph) -> str:
    function = first.function
    assert function is not None
    name, call = function.name, called_name(first.site)
    if first.name.startswith("redis.") and "(...)" not in call:
        text = (
            "Use the asynchronous client of the same package:\n```python\nfrom redis.asyncio import Redis\n"
            f"\n\n{definition(graph, function, f'value = await {call}(...)')}\n```"
        )
    else:
        text = (
            f"Run it on a thread:\n```python\nimport asyncio\n\n\n"
            f"{definition(graph, function, f'value = {on_a_thread(first.site)}')}\n```"
        )
    if may_be_plain(function, graph):
        text += f"\nOr declare `{name}` with `def`: it awaits nothing, and FastAPI then runs it on a thread."
    return text


rule.bad = """
    from fastapi import FastAPI
    from redis import Redis

    app = FastAPI()
    cache = Redis(host="127.0.0.1", port=1, socket_timeout=1)


    @app.get("/visits")
    async def count_visit() -> int:
        return int(cache.incr("visits"))  # finding: sync-network-client-in-async
"""

rule.good = """
    from fastapi import FastAPI
    from redis.asyncio import Redis

    app = FastAPI()
    cache = Redis(host="127.0.0.1", port=1, socket_timeout=1)


    @app.get("/visits")
    async def count_visit() -> int:
        return int(await cache.incr("visits"))
"""


@rule.symptom
def the_loop_waits_for_redis(proof: Proof) -> None:
    """The command is sent from the event loop's own thread, which then stands still until Redis has answered."""
    proof.client.get("/visits")
    assert "redis.Redis.execute_command" in proof.blocked
