"""More requests run at the same time than the pool has connections.

Handlers written with `def` run in up to 40 threads. The default pool hands out 15 connections (5, and 10 in overflow): the
16th thread waits up to 30 seconds for one, and then fails with `QueuePool limit of size 5 overflow 10 reached`. Under
load that is a standstill, although the database is idle.

Known limits: only pools of default size are reported, of databases other than SQLite, and only where several `def`
operations use them; a limit of threads that is set elsewhere is taken as intended.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.appgraph.database import Engine
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    PathOperation,
    Proof,
    Rule,
    Severity,
    dotted_name,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "The connection pool is smaller than the number of requests at once",
    severity=Severity.IMPORTANT,
    cwe=770,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://docs.sqlalchemy.org/en/20/errors.html#queuepool-limit-of-size-x-overflow-y-reached-connection-timed-out-timeout-z",
        "https://github.com/fastapi/fastapi/issues/3205",
    ),
    requires=("sqlalchemy",),
)

#: Threads of AnyIO's default limiter, and connections of SQLAlchemy's default pool.
_THREADS, _CONNECTIONS = 40, 15
#: So many `def` operations with a session make it likely that 16 run at the same time.
_OPERATIONS = 3
_SIZING = ("pool_size", "max_overflow", "poolclass", "pool", "creator")


@rule.check(per=AppGraph)
def pool_smaller_than_threads(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    engines = [e for e in graph.database.engines if _is_default(e, graph)]
    if not engines or graph.program.mentioning("total_tokens") or _has_bouncer(graph):
        return
    operations = list(_threaded(graph))
    if len(operations) >= _OPERATIONS:
        for engine in engines[:1]:
            yield _finding(engine, operations)


def _is_default(engine: Engine, graph: AppGraph) -> bool:
    call = engine.site.node
    given = {k.arg for k in call.keywords}
    if (
        engine.is_async
        or engine.function is not None
        or engine.site.scope.module.kind != "source"
        or None in given
    ):
        return False
    if not given.isdisjoint(_SIZING) or any(name in engine.options for name in _SIZING):
        return False
    dialect = getattr(engine.url, "dialect", None) or graph.dialect
    return dialect not in ("sqlite", "unknown")


def _has_bouncer(graph: AppGraph) -> bool:
    return any("pgbouncer" in text.lower() for text in graph.files.texts.values() if isinstance(text, str))


def _threaded(graph: AppGraph) -> Iterator[PathOperation]:
    """Operations that wait for a session in a thread."""
    providers = [p.function for p in graph.database.session_providers if not p.is_async]
    seen: set[int] = set()
    for provider in providers:
        for operation in graph.operations_running(provider):
            if operation.handler is not None and not operation.handler.is_async and id(operation) not in seen:
                seen.add(id(operation))
                yield operation


def _finding(engine: Engine, operations: list[PathOperation]) -> Finding:
    name = engine.variable or "engine"
    made = dotted_name(engine.site.node.func) or "create_engine"
    return rule.at(
        engine,
        f"`{name}` hands out {_CONNECTIONS} connections, and {len(operations)} `def` operations run in up to {_THREADS} "
        "threads of each process: the 16th waits for up to 30 seconds.",
        "Let the pool have as many connections as there are threads, within what the database allows for all processes:\n"
        f"```python\n{name} = {made}(database_url, pool_size=20, max_overflow=20, pool_timeout=5, pool_pre_ping=True)\n```",
        reasoning="`pool_size` and `max_overflow` are not set, so they are 5 and 10; AnyIO's default limit is 40 threads.",
        confidence=Confidence.FIRM,
        trace=steps(*((o, f"{o.names[0]} holds a connection in a thread") for o in operations[:3])),
        routes=routes_of(operations),
        impact=float(_THREADS - _CONNECTIONS),
    )


_REST = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import create_engine, text
    from sqlalchemy.orm import Session

    app = FastAPI()
    DATABASE_URL = "postgresql+psycopg://localhost/shop"
"""

rule.bad = (
    _REST
    + """
    engine = create_engine(DATABASE_URL, pool_timeout=0.1)  # finding: pool-capacity-mismatch


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    @app.get("/books")
    def count_books(session: SessionDep) -> int:
        return session.scalar(text("SELECT 1")) or 0


    @app.get("/orders")
    def count_orders(session: SessionDep) -> int:
        return session.scalar(text("SELECT 2")) or 0


    @app.get("/users")
    def count_users(session: SessionDep) -> int:
        return session.scalar(text("SELECT 3")) or 0
"""
)

rule.good = (
    _REST
    + """
    engine = create_engine(DATABASE_URL, pool_timeout=0.1, pool_size=20, max_overflow=20)


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    @app.get("/books")
    def count_books(session: SessionDep) -> int:
        return session.scalar(text("SELECT 1")) or 0


    @app.get("/orders")
    def count_orders(session: SessionDep) -> int:
        return session.scalar(text("SELECT 2")) or 0


    @app.get("/users")
    def count_users(session: SessionDep) -> int:
        return session.scalar(text("SELECT 3")) or 0
"""
)


@rule.exploit
def the_sixteenth_request_fails(proof: Proof) -> None:
    """While 15 connections are held, as by 15 slow requests, the next request is answered with 500."""
    engine = proof.module("main").engine
    held = [engine.connect() for _ in range(15)]
    client = proof.client_for(proof.app, raise_server_exceptions=False)
    status = client.get("/books").status_code
    for connection in held:
        connection.close()
    assert status == 500
