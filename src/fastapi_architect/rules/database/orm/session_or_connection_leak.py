"""A session or connection is opened and not given back.

Each holds a connection of the pool from its first statement on, in an open transaction, until it is closed. Without a `with` or a
`finally`, an exception gets past the `close()`; a session that `next(get_session())` took out of its dependency has nobody left to close
it. Python's garbage collector gives it back some time. Until then the pool is short of it: with the default of fifteen, the sixteenth
request waits thirty seconds and fails.

Known limits: sessions that are returned, kept on an object or given to a class are somebody else's to close, and are left alone; so
is code that neither requests nor workers reach.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.unclosed_sessions import Unclosed, unclosed_sessions
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    PathOperation,
    Proof,
    Rule,
    Severity,
    Step,
    first_route,
    ir,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A session or connection is not given back to its pool",
    severity=Severity.CRITICAL,
    cwe=772,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/session_basics.html#closing",
        "https://docs.sqlalchemy.org/en/20/errors.html#error-3o7r",
    ),
    requires=("sqlalchemy",),
)


@rule.check(per=AppGraph)
def not_given_back(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    tasks = {id(task.function) for task in graph.tasks}
    for each in unclosed_sessions(graph):
        operations = graph.entries(each.function)
        if operations or id(each.function) in tasks:
            yield _finding(each, operations, graph)


def _finding(each: Unclosed, operations: tuple[PathOperation, ...], graph: AppGraph) -> Finding:
    function, call = each.function, written(graph, each.function, each.site.node)
    return rule.at(
        each.site,
        f"`{call}` in `{function.name}` {_what(each)}.",
        f"Let a `with` close it, whatever happens:\n```python\n{_suggestion(each, call)}\n```",
        reasoning="A session holds its connection and its transaction until it is closed; the garbage collector closes it late, and one "
        "of asyncio not at all.",
        exploit=f"{first_route(operations, function.name)} is sent a few dozen times{_when(each)}: the pool has no connection left, "
        "and every request that needs one fails after thirty seconds.",
        confidence=_confidence(each),
        trace=(*_way(each, operations), *steps((each.site, "opened here"))),
        routes=routes_of(operations),
        context=Context(stops_process=True),
    )


def _what(each: Unclosed) -> str:
    if each.how == "generator":
        return "throws the generator away that would close the session: it is used after that, and nobody closes it again"
    if each.how == "dependency":
        return "is returned to operations that never close it: a dependency that opens something has to `yield` it"
    if each.how == "errors" and each.close is not None:
        line = each.close.scope.location(each.close.node).line
        return f"is closed in line {line} only when nothing fails before: an exception gets past the close"
    return "is never closed"


def _when(each: Unclosed) -> str:
    return " in a way that fails" if each.how == "errors" else ""


def _confidence(each: Unclosed) -> Confidence:
    if each.call is not None and each.call.name.startswith("sqlite3"):
        return Confidence.TENTATIVE  # there is no pool that could run dry
    return Confidence.CERTAIN if each.sure and each.how in ("never", "generator") else Confidence.FIRM


def _way(each: Unclosed, operations: tuple[PathOperation, ...]) -> Iterator[Step]:
    if operations:
        yield Step(each.function.location(), f"{operations[0].names[0]} gets to `{each.function.name}`")


def _suggestion(each: Unclosed, call: str) -> str:
    name = each.name or "session"
    if isinstance(each.site.node, ir.Call) and each.how == "generator":
        inner = call[call.find("(") + 1 : call.rfind(")")]
        maker = inner.rpartition("(")[0]
        return f"from contextlib import contextmanager\n\nwith contextmanager({maker})() as {name}:\n    ..."
    word = "async with" if each.function.is_async and each.call is not None and each.call.is_async else "with"
    body = f"    yield {name}" if each.how == "dependency" or each.function.is_generator else "    ..."
    return f"{word} {call} as {name}:\n{body}"


_EXAMPLE = """
    from fastapi import FastAPI, HTTPException
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]


    Base.metadata.create_all(engine)

"""

rule.bad = (
    _EXAMPLE
    + """
    @app.get("/books/{book_id}")
    def read_book(book_id: int) -> str:
        session = Session(engine)  # finding: session-or-connection-leak
        book = session.get(Book, book_id)
        if book is None:
            raise HTTPException(404, "no such book")
        title = book.title
        session.close()
        return title
"""
)

rule.good = (
    _EXAMPLE
    + """
    @app.get("/books/{book_id}")
    def read_book(book_id: int) -> str:
        with Session(engine) as session:
            book = session.get(Book, book_id)
            if book is None:
                raise HTTPException(404, "no such book")
            return book.title
"""
)


@rule.exploit
def connections_are_missing_in_the_pool(proof: Proof) -> None:
    """Every request for a book that does not exist keeps a connection of the pool."""
    import gc

    pool = proof.module().engine.pool
    gc.disable()  # it would give some of them back, some time
    for _ in range(3):
        assert proof.client.get("/books/7").status_code == 404
    assert pool.checkedout() == 3
