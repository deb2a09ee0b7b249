"""A coroutine talks to the database through a synchronous session, connection or cursor.

`session.execute`, `session.commit` and `cursor.execute` hold the thread until the database answers. In an
`async def` that thread is the event loop's, even when the session comes from a dependency that FastAPI runs
on a thread: one slow query stops every request of the worker.

Known limits: the first call of a coroutine is reported and the others are named; functions given to
`run_sync` are left out, since SQLAlchemy runs them beside the loop.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.blocking_ways import on_the_loop
from fastapi_architect.analyses.event_loop import OnLoop
from fastapi_architect.analyses.offloading import called_name, made_plain, may_be_plain, whose_turn
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
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A coroutine queries the database through a synchronous session",
    severity=Severity.IMPORTANT,
    cwe=400,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://fastapi.tiangolo.com/async/#path-operation-functions",
        "https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html",
    ),
)

#: How many of several calls are named.
_SHOWN = 4


@rule.check(per=Function, having=(BlockingCall,))
def coroutine_waits_for_the_database(function: Function, graph: AppGraph) -> Iterator[Finding]:
    if not function.is_async:
        return
    calls = [b for b in graph.within(BlockingCall, function) if b.kind == "database"]
    found = [(b, on) for b in calls if (on := on_the_loop(b, graph)) is not None]
    if found:
        yield _finding(found[0][0], [b for b, _ in found[1:]], found[0][1], graph)


def _finding(first: BlockingCall, others: list[BlockingCall], on: OnLoop, graph: AppGraph) -> Finding:
    function = first.function
    assert function is not None
    name = called_name(first.site)
    more = f" ({1 + len(others)} such calls in it)" if others else ""
    confidence = Confidence.CERTAIN if first.sure and on.sure else Confidence.FIRM
    return rule.at(
        first,
        f"`{function.name}` {whose_turn(on, function)} and waits there for the database in `{name}`{more}: "
        f"every other "
        "request of this worker waits as long.",
        _suggestion(first, graph),
        reasoning=f"`{first.name}` belongs to a synchronous driver: it returns when the database has "
        f"answered, and the thread "
        "that waits is the event loop's.",
        exploit=f"While {first_route(on.operations, function.name)} waits in `{name}`, the event loop's thread "
        "stands still, and no other request is served.",
        confidence=confidence if on.serves else Confidence.TENTATIVE,
        trace=steps(
            (function, f"{function.name} {whose_turn(on, function)}"),
            *((b, f"{called_name(b.site)} waits for the database") for b in (first, *others[:_SHOWN])),
        ),
        fix=made_plain(function, graph),
        routes=routes_of(on.operations),
        context=Context(stops_process=False),
        impact=float(len(on.operations)),
    )


def _suggestion(first: BlockingCall, graph: AppGraph) -> str:
    function = first.function
    assert function is not None
    name = function.name
    call = called_name(first.site)
    instead = first.instead or "an asynchronous driver"
    if may_be_plain(function, graph):
        return (
            f"`{name}` awaits nothing: declare it with `def`, and FastAPI runs it on a thread.\n"
            f"```python\n{definition(graph, function, is_async=False)}\n```\nOr use {instead}."
        )
    return (
        f"Use {instead} and await it, or move the queries into a plain function and run that on a thread:\n"
        f"```python\n"
        f"from fastapi.concurrency import run_in_threadpool\n\n\ndef query():\n    return {call}(...)\n\n\n"
        f"{definition(graph, function, 'rows = await run_in_threadpool(query)')}\n```"
        if "(...)" not in call
        else f"Use {instead} and await it, or run the queries of `{name}` on a thread with `run_in_threadpool`."
    )


rule.bad = """
    import sqlite3
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI


    def get_connection() -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect("books.db", check_same_thread=False)
        connection.execute("create table if not exists books (title text)")
        yield connection
        connection.close()


    ConnectionDep = Annotated[sqlite3.Connection, Depends(get_connection)]
    app = FastAPI()


    @app.get("/books")
    async def list_books(connection: ConnectionDep) -> list[str]:
        rows = connection.execute("select title from books limit 100")  # finding: sync-db-session-in-async
        return [title for (title,) in rows]
"""

rule.good = """
    import sqlite3
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI


    def get_connection() -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect("books.db", check_same_thread=False)
        connection.execute("create table if not exists books (title text)")
        yield connection
        connection.close()


    ConnectionDep = Annotated[sqlite3.Connection, Depends(get_connection)]
    app = FastAPI()


    @app.get("/books")
    def list_books(connection: ConnectionDep) -> list[str]:
        rows = connection.execute("select title from books limit 100")
        return [title for (title,) in rows]
"""


@rule.symptom
def the_loop_waits_for_the_database(proof: Proof) -> None:
    """The query runs on the event loop's own thread, where nothing else can run until it is answered."""
    assert proof.client.get("/books").json() == []
    assert any("sqlite3" in name for name in proof.blocked)
