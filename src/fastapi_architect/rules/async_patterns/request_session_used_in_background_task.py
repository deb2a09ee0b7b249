"""Work that outlives the request uses the request's own session or upload.

A session that a dependency yields is closed when the request is over. FastAPI 0.106 to 0.117, and every dependency with
`scope="function"`, close it before background tasks run: what they do with it happens on a connection that nobody gives
back, and rows that they read further from are detached. Other versions close it after them, so it works and keeps a
connection of the pool for as long as the slowest mail server takes. A task that nobody awaits, or a thread, races with the
closing on every version. A middleware that lays the session on `request.state` and closes it behind `call_next` does so when the
response begins, before background tasks run.

Known limits: rows that are handed on without their session are not followed, and a session that is kept open for a quick
task is not reported.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.dependency_exit import early_exit, ends_before_tasks
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.left_running import LeftRunning, left_running
from fastapi_architect.analyses.request_session import RequestSession, request_sessions
from fastapi_architect.analyses.session_use import SessionUse, session_uses
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.messaging import EmailSend
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Instance,
    Location,
    Proof,
    Rule,
    Severity,
    Site,
    Step,
    dotted_name,
    first_route,
    ir,
    last_name,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A background task uses the session of the request",
    severity=Severity.CRITICAL,
    cwe=672,
    references=(
        "https://fastapi.tiangolo.com/advanced/advanced-dependencies/#background-tasks-and-dependencies-with-yield-technical-details",
        "https://docs.sqlalchemy.org/en/20/orm/session_basics.html#is-the-session-thread-safe-is-asyncsession-safe-to-share-in-concurrent-tasks",
    ),
    requires=("sqlalchemy",),
    versions={"fastapi": ">=0.118"},
)

_UPLOADS = frozenset({"starlette.datastructures.UploadFile", "fastapi.UploadFile"})
_SLOW = frozenset({"sleep", "http", "network", "subprocess", "cpu"})


@rule.check(per=AppGraph)
def used_when_the_request_is_over(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for left in left_running(graph):
        found = next(_sessions(left, graph), None)
        if found is not None:
            yield found
        else:
            yield from _uploads(left, graph)


def _sessions(left: LeftRunning, graph: AppGraph) -> Iterator[Finding]:
    """A finding for each session that is over, or held up, while the task runs."""
    for use in session_uses(graph).of_handed(left.handed):
        for source in request_sessions(graph, use.scope, use.steps):
            if source.operation is not None and source.operation.is_websocket:
                continue  # it lives as long as the socket
            if source.block is not None:
                if not source.holder.is_generator and _stands_in(left.concept.site, source):
                    yield _over(left, use, source, graph)
            elif source.laid is not None:
                if left.kind != "background" or source.laid.before_tasks:
                    yield _over(left, use, source, graph)
            elif left.kind != "background" or ends_before_tasks(graph, source.lifetime):
                yield _over(left, use, source, graph)
            else:
                slow = _slow(left, graph)
                if slow is not None:
                    yield _held(left, use, source, slow, graph)


def _stands_in(site: Site, source: RequestSession) -> bool:
    """The task is started inside the block that closes the session."""
    return any(context.node is source.block for context in site.context)


def _targets(left: LeftRunning, graph: AppGraph) -> list[Function]:
    calls, inference = graph.program.calls, graph.program.inference
    of = inference.type_of(left.handed.function, left.handed.scope)
    return [target for each in options(of) for target in calls.functions_behind(each)]


def _slow(left: LeftRunning, graph: AppGraph) -> Concept | None:
    """Something in the task that takes as long as somebody else likes."""
    done = effects(graph).of_functions(_targets(left, graph))
    for each in (*done.outbound, *(m for m in done.messages if isinstance(m, EmailSend))):
        return each
    for function in done.functions:
        for blocking in graph.within(BlockingCall, function):
            if blocking.kind in _SLOW:
                return blocking
    return None


# ── what is said


def _over(left: LeftRunning, use: SessionUse, source: RequestSession, graph: AppGraph) -> Finding:
    name, session = _name(left), use.written
    if source.block is not None:
        when = "the `with` block has closed it by the time the task runs"
    elif left.kind != "background":
        when = f"nobody waits for the {left.kind}, and the session is closed when the request ends"
    elif source.laid is not None:
        when = f"`{source.laid.middleware.name}` closes it when the response begins, and background tasks run after that"
    elif source.lifetime == "function":
        when = 'its dependency has scope="function", and is left before the response is sent'
    else:
        when = f"FastAPI {early_exit(graph)} leaves dependencies before background tasks run"
    return _finding(
        left, use, source, graph,
        issue=f"`{name}` uses `{session}` after the request has closed it: {when}.",
        reasoning="A closed session opens a new connection without a word, and nobody is left to give it back; rows that were "
        "loaded before are detached, and what the task changes is committed by nobody.",
        exploit=f"A request to {_route(source, left)} is answered, `{name}` runs on, and its statements fail or keep a "
        "connection until the pool is empty.",
        severity=Severity.CRITICAL,
    )  # fmt: skip


def _held(
    left: LeftRunning, use: SessionUse, source: RequestSession, slow: Concept, graph: AppGraph
) -> Finding:
    name = _name(left)
    return _finding(
        left, use, source, graph,
        issue=f"`{name}` runs after the response with the request's `{use.written}`, and holds its connection while it waits in "
        f"`{dotted_name(getattr(slow.node, 'func', slow.node)) or last_name(getattr(slow.node, 'func', slow.node))}`.",
        reasoning="The dependency is left only when every background task is done, so the connection stays checked out for as "
        "long as the slowest of them takes.",
        exploit=f"As many requests to {_route(source, left)} as the pool has connections, while the other host is slow: every "
        "further request waits for a connection and times out.",
        severity=Severity.IMPORTANT,
        also=((slow, "here it waits"),),
    )  # fmt: skip


def _finding(
    left: LeftRunning,
    use: SessionUse,
    source: RequestSession,
    graph: AppGraph,
    *,
    issue: str,
    reasoning: str,
    exploit: str,
    severity: Severity,
    also: tuple[tuple[Concept, str], ...] = (),
) -> Finding:
    operations = graph.entries(left.concept.function) if left.concept.function is not None else ()
    found = rule.at(
        left.concept,
        issue,
        _suggestion(left, use, source),
        reasoning=reasoning,
        exploit=exploit,
        confidence=Confidence.CERTAIN if use.sure and len(use.steps) == 1 else Confidence.FIRM,
        trace=(*_origin(source), *_trace(left, use), *steps(*also)),
        routes=routes_of(operations or ([source.operation] if source.operation is not None else ())),
    )
    return replace(found, severity=severity)


def _origin(source: RequestSession) -> tuple[Step, ...]:
    if source.block is not None:
        return steps(
            (
                source.holder.location(source.block),
                "the session is opened here, and closed at the block's end",
            )
        )
    if source.laid is not None:
        middleware = source.laid.middleware
        return steps((middleware, f"{middleware.name} opens the session of a request, and closes it"))
    assert source.provider is not None
    return steps(
        (source.provider.function, f"{source.provider.function.name} yields the session of a request")
    )


def _trace(left: LeftRunning, use: SessionUse) -> tuple[Step, ...]:
    hops = [(hop, f"{hop.scope.name} hands it on") for hop in use.hops[-2:]]
    place: list[tuple[Location | Site, str]] = [
        (left.concept.location, f"{_name(left)} is started with it"),
        *hops,
        (use.call.location, "and uses it here"),
    ]
    return steps(*place)


def _name(left: LeftRunning) -> str:
    function = left.handed.function
    return dotted_name(function) or last_name(function) or "the task"


def _route(source: RequestSession, left: LeftRunning) -> str:
    operations = [source.operation] if source.operation is not None else []
    function = left.concept.function
    return first_route(operations, function.name if function is not None else "the application")


def _suggestion(left: LeftRunning, use: SessionUse, source: RequestSession) -> str:
    is_async = getattr(use.call, "is_async", False) or (
        source.provider is not None and source.provider.is_async
    )
    word = "async " if is_async else ""
    name = last_name(left.handed.function) or "task"
    return (
        "Hand over identifiers only, and open a session inside the task:\n"
        f"```python\n{word}def {name}(identifier: int) -> None:\n"
        f"    {word}with session_factory() as session:\n"
        "        ...  # read what is needed\n"
        "    ...  # then do what takes long, without a connection\n```"
    )


# ── uploads


def _uploads(left: LeftRunning, graph: AppGraph) -> Iterator[Finding]:
    """A file of the request that is closed before it is read."""
    if left.kind == "background" and early_exit(graph) is None:
        return
    function = left.concept.function
    if function is None or not graph.entries(function):
        return
    for given in (*left.handed.args, *(k.value for k in left.handed.keywords)):
        bindings = function.facts.bindings.get(last_name(given), ()) if isinstance(given, ir.Name) else ()
        if any(binding.kind != "parameter" for binding in bindings):
            continue  # a copy
        kinds = options(graph.program.inference.type_of(given, left.handed.scope)) if bindings else ()
        if any(isinstance(of, Instance) and of.name in _UPLOADS for of in kinds):
            yield _closed_upload(left, last_name(given), graph)
            return


def _closed_upload(left: LeftRunning, upload: str, graph: AppGraph) -> Finding:
    name, function = _name(left), left.concept.function
    operations = graph.entries(function) if function is not None else ()
    why = (
        f"FastAPI {early_exit(graph)} closes uploads before background tasks run"
        if left.kind == "background"
        else f"nobody waits for the {left.kind}, and uploads are closed when the request ends"
    )
    return rule.at(
        left.concept,
        f"`{name}` reads `{upload}` after the request has closed it: {why}.",
        f"Read it while the request lasts, and hand over the bytes:\n```python\ncontent = await {upload}.read()\n"
        f"background_tasks.add_task({name}, content)\n```",
        reasoning="An upload is a temporary file that belongs to the request.",
        exploit=f"A file is sent to {first_route(operations, name)}, which answers with success; reading it fails with "
        "`ValueError: I/O operation on closed file`, and the file is gone.",
        confidence=Confidence.FIRM,
        routes=routes_of(operations),
    )


rule.bad = """
    from collections.abc import Iterator
    from typing import Annotated

    import httpx
    from fastapi import BackgroundTasks, Depends, FastAPI
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})
    session_factory = sessionmaker(engine)


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        address: Mapped[str]


    Base.metadata.create_all(engine)


    def get_session() -> Iterator[Session]:
        with session_factory() as session:
            yield session


    def deliver(address: str) -> None:
        httpx.post("https://mail.example/send", json={"to": address})


    def send_invoice(session: Session, order_id: int) -> None:
        order = session.get(Order, order_id)
        if order is not None:
            deliver(order.address)


    @app.post("/orders", status_code=201)
    def place_order(
        address: str, session: Annotated[Session, Depends(get_session)], background_tasks: BackgroundTasks
    ) -> int:
        order = Order(address=address)
        session.add(order)
        session.flush()
        order_id = order.id
        session.commit()
        background_tasks.add_task(send_invoice, session, order_id)  # finding: request-session-used-in-background-task
        return order_id
"""

rule.good = """
    from collections.abc import Iterator
    from typing import Annotated

    import httpx
    from fastapi import BackgroundTasks, Depends, FastAPI
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})
    session_factory = sessionmaker(engine)


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        address: Mapped[str]


    Base.metadata.create_all(engine)


    def get_session() -> Iterator[Session]:
        with session_factory() as session:
            yield session


    def deliver(address: str) -> None:
        httpx.post("https://mail.example/send", json={"to": address})


    def send_invoice(order_id: int) -> None:
        with session_factory() as session:
            order = session.get(Order, order_id)
            address = order.address if order is not None else ""
        if address:
            deliver(address)


    @app.post("/orders", status_code=201)
    def place_order(
        address: str, session: Annotated[Session, Depends(get_session)], background_tasks: BackgroundTasks
    ) -> int:
        order = Order(address=address)
        session.add(order)
        session.flush()
        order_id = order.id
        session.commit()
        background_tasks.add_task(send_invoice, order_id)
        return order_id
"""


@rule.symptom
def the_mail_holds_a_connection(proof: Proof) -> None:
    """While the mail is sent, after the response, a connection of the pool is still checked out."""
    shop = proof.module()
    held: list[int] = []
    shop.deliver = lambda _: held.append(shop.engine.pool.checkedout())
    assert proof.client.post("/orders?address=reader@example.org").status_code == 201
    assert held == [1]
