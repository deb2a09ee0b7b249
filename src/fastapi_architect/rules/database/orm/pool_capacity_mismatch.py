"""More requests run at the same time than the pool has connections, or the pools want more than the database gives.

Handlers written with `def` run in up to 40 threads. The default pool hands out 15 connections (5, and 10 in overflow): the
16th thread waits up to 30 seconds for one, and then fails with `QueuePool limit of size 5 overflow 10 reached`. Under
load that is a standstill, although the database is idle.

Every server process has a pool of its own. Eight workers with 20 + 10 connections each may ask for 240, and PostgreSQL
refuses the 101st with `too many clients already`: for this service and for all others on the same server.

Known limits: too small are pools of default size only, of databases other than SQLite, and only where several `def`
operations use them; it is tentative unless one in four of them holds its connection for long, while another host answers. A
limit of threads that is set elsewhere is taken as intended. Too large are pools whose sizes stand in the code, times the
processes that a command line or compose file starts; where the files do not show the database server, its default limit is
assumed, and the finding is tentative. Behind PgBouncer nothing is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.effects import effects
from fastapi_architect.appgraph.containers import is_compose
from fastapi_architect.appgraph.database import Engine
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Location,
    PathOperation,
    Proof,
    Rule,
    Severity,
    dotted_name,
    lazy_pattern,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "The connection pool fits neither the requests at once nor the database",
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
#: One in so many of them that holds its connection for long fills the pool with others of its kind.
_SHARE = 4
_SIZING = ("pool_size", "max_overflow", "poolclass", "pool", "creator")
#: Connections that a server takes unless it is told otherwise.
_LIMITS = {"postgresql": 100, "mysql": 151}
_LIMIT = lazy_pattern(r"max[_-]connections[\"']?\s*[=:,]\s*[\"']?(?:\$\{\w+:-)?(\d{1,6})\b")
_BOUNCER = lazy_pattern(r"pgbouncer|pgcat|supavisor|odyssey", re.IGNORECASE)
#: What makes an engine beside the server: migrations and scripts.
_ASIDE = lazy_pattern(r"(^|/)(alembic|migrations?|scripts?|tools?|cli|commands?)/|env\.py$")


@rule.check(per=AppGraph)
def pool_smaller_than_threads(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    engines = [e for e in graph.database.engines if _is_default(e, graph)]
    if not engines or graph.program.mentioning("total_tokens") or _has_bouncer(graph):
        return
    operations = list(_threaded(graph))
    if len(operations) >= _OPERATIONS:
        for engine in engines[:1]:
            yield _finding(engine, operations, graph)


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
    return any(_BOUNCER.search(text) for text in graph.files.texts.values() if isinstance(text, str))


def _threaded(graph: AppGraph) -> Iterator[PathOperation]:
    """Operations that wait for a session in a thread."""
    providers = [p.function for p in graph.database.session_providers if not p.is_async]
    seen: set[int] = set()
    for provider in providers:
        for operation in graph.operations_running(provider):
            if operation.handler is not None and not operation.handler.is_async and id(operation) not in seen:
                seen.add(id(operation))
                yield operation


def _finding(engine: Engine, operations: list[PathOperation], graph: AppGraph) -> Finding:
    name = engine.variable or "engine"
    made = dotted_name(engine.site.node.func) or "create_engine"
    long = [each for each in operations if _waits_elsewhere(each, graph)]
    return rule.at(
        engine,
        f"`{name}` hands out {_CONNECTIONS} connections, and {len(operations)} `def` operations run in up to {_THREADS} "
        "threads of each process: the 16th waits for up to 30 seconds.",
        _as_many(name, made, _share(engine, graph)),
        reasoning="`pool_size` and `max_overflow` are not set, so they are 5 and 10; AnyIO's default limit is 40 threads.",
        exploit=f"While 15 slow requests{_such_as(long)} hold the connections of `{name}`, `{operations[0].names[0]}` waits for "
        "30 seconds and is answered with 500.",
        confidence=Confidence.FIRM if len(long) * _SHARE >= len(operations) else Confidence.TENTATIVE,
        trace=steps(*((o, f"{o.names[0]} holds a connection in a thread") for o in (long or operations)[:3])),
        routes=routes_of(operations),
        impact=float(_THREADS - _CONNECTIONS),
    )


def _waits_elsewhere(operation: PathOperation, graph: AppGraph) -> bool:
    """The operation asks another host or sends a mail, and its session is closed only behind it."""
    does = effects(graph).of_handler(operation)
    return bool(does.outbound or does.messages)


def _such_as(long: list[PathOperation]) -> str:
    return f" such as `{long[0].names[0]}`" if long else ""


def _as_many(name: str, made: str, share: int) -> str:
    """Connections for all threads; fewer threads where the database does not give each process so many."""
    if share >= _THREADS:
        return (
            "Let the pool have as many connections as there are threads, within what the database allows for all processes:\n"
            f"```python\n{name} = {made}(database_url, pool_size=20, max_overflow=20, pool_timeout=5, pool_pre_ping=True)\n```"
        )
    return (
        f"The database gives each process {share} connections: let as many threads run, in the lifespan:\n```python\n"
        f"{name} = {made}(database_url, pool_size={share}, max_overflow=0, pool_timeout=5, pool_pre_ping=True)\n"
        f"anyio.to_thread.current_default_thread_limiter().total_tokens = {share}\n```"
    )


def _share(engine: Engine, graph: AppGraph) -> int:
    """Connections that the database has for each server process; a tenth is left to migrations, backups and people."""
    limit, _ = _limit(graph, _dialect(engine, graph))
    processes = graph.deployment.most_server_processes or 1
    return max((limit - limit // 10) // processes, 1) if limit is not None else _THREADS


def _dialect(engine: Engine, graph: AppGraph) -> str:
    dialect = getattr(engine.url, "dialect", "unknown")
    return graph.dialect if dialect == "unknown" else dialect


@rule.check(per=AppGraph)
def pools_larger_than_the_database(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    processes = graph.deployment.most_server_processes or 1
    if processes < 2:
        return
    engines = [e for e in graph.database.engines if _is_of_the_server(e)]
    largest = max(engines, key=lambda e: e.connections or 0, default=None)
    if largest is None or _has_bouncer(graph):
        return
    limit, declared = _limit(graph, _dialect(largest, graph))
    if limit is not None and processes * (largest.connections or 0) > limit:
        yield _exhausted(largest, processes, limit, declared, graph)


def _is_of_the_server(engine: Engine) -> bool:
    """An engine of the application whose sizes are known: both stand in the code, or are left at their defaults."""
    module = engine.site.scope.module
    return (
        engine.connections is not None
        and module.kind == "source"
        and not _ASIDE.search(module.path)
        and all(k.arg not in (None, "pool", "creator") for k in engine.site.node.keywords)
    )


def _limit(graph: AppGraph, dialect: str) -> tuple[int | None, Location | None]:
    """Connections that the database takes, and where that is said; the server's default and None when nobody says."""
    if dialect not in _LIMITS:
        return None, None
    found: list[tuple[int, Location]] = []
    servers: list[Location] = []
    for compose in graph.deployment.compose_files:
        for service in compose.services:
            image = service.image.lower()
            if any(name in image for name in ("postgres", "postgis", "pgvector", "mysql", "mariadb")):
                servers.append(service.location)
    for path, text in graph.files.texts.items():
        if isinstance(text, str) and is_compose(path):
            found += [
                (int(match[1]), Location(path, text.count("\n", 0, match.start()) + 1))
                for match in _LIMIT.finditer(text)
            ]
    if found:
        return max(found)
    return _LIMITS[dialect], next(iter(servers), None)


def _exhausted(
    engine: Engine, processes: int, limit: int, declared: Location | None, graph: AppGraph
) -> Finding:
    name = engine.variable or "engine"
    made = dotted_name(engine.site.node.func) or "create_engine"
    each = engine.connections or 0
    share = _share(engine, graph)
    servers = [c for c in graph.deployment.servers if (c.workers or 1) > 1]
    return rule.at(
        engine,
        f"`{name}` opens up to {each} connections in each of {processes} processes, {processes * each} together, and "
        f"the database takes {limit}: the others are refused.",
        f"Give each process its share, or put PgBouncer between them:\n```python\n"
        f"{name} = {made}(database_url, pool_size={share}, max_overflow=0, pool_pre_ping=True)\n```",
        reasoning=f"Pools are not shared between processes; {limit} connections for {processes} processes are "
        f"{share} for each, with a tenth left over for others.",
        exploit=f"All {processes} processes are busy: a request whose pool opens connection {limit + 1} of `{name}` is answered with 500.",
        confidence=Confidence.FIRM if declared is not None else Confidence.TENTATIVE,
        trace=steps(
            (engine, f"up to {each} connections in one process"),
            *((command.location, f"{command.workers} processes are started") for command in servers[:1]),
            *([(declared, f"this server takes {limit} connections")] if declared is not None else []),
        ),
        impact=float(processes * each - limit),
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
