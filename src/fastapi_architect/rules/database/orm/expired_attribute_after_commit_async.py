"""A row is read after the commit of an asyncio session that has marked it as stale.

A session forgets what it knows of its rows when it commits, so that whoever reads one next sees what others have written
meanwhile. With `Session` the next reading sends a query. With `AsyncSession` it cannot, and raises MissingGreenlet: the row
is stored, the client gets a 500, and a client that tries again stores it twice.

`async_sessionmaker(engine, expire_on_commit=False)` keeps what is known; `await session.refresh(order)` reads it anew.

Known limits: nothing is said as soon as one factory of the project is told not to expire. Commits are looked for in the
function that reads and in those that return the row to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.expired_rows import ExpiredRead, expired_reads, session_name
from fastapi_architect.concepts.database import SessionFactory
from fastapi_architect.findings.finding import Step
from fastapi_architect.program.facts import runs_as_script
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Location,
    Proof,
    Rule,
    Severity,
    Site,
    first_route,
    last_name,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A row is read after a commit that made it stale, with an asyncio session",
    severity=Severity.CRITICAL,
    cwe=755,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#preventing-implicit-io-when-using-asyncsession",
        "https://docs.sqlalchemy.org/en/20/orm/session_api.html#sqlalchemy.orm.Session.params.expire_on_commit",
    ),
    requires=("sqlalchemy", "aiosqlite"),
)


@rule.check(per=AppGraph)
def stale_row(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for each in expired_reads(graph):
        if not runs_as_script(each.use):
            yield _finding(each, graph)


def _finding(each: ExpiredRead, graph: AppGraph) -> Finding:
    operations = (each.operation,) if each.operation is not None else graph.entries(each.function)
    row = f"`{each.name}`" if each.name else f"the `{each.model.name}`"
    read = (
        f"`{each.name}.{each.attribute}` is read" if each.attribute else f"FastAPI reads {row} for the answer"
    )
    session = session_name(each.commit)
    route = first_route(operations, each.function.name)
    return rule.at(
        each.use,
        f"{read} after `{session}.commit()` has marked it as stale: with an AsyncSession that raises MissingGreenlet.",
        "Keep what is known after a commit:\n```python\n"
        f"{_factory(each)}\n```\nor read the row anew behind the commit:\n```python\n"
        f"await {session}.refresh({each.name or 'row'})\n```",
        reasoning="The sessions are made without `expire_on_commit=False`, so a commit takes all values from their rows; the "
        "next reading needs a query, which an attribute cannot await.",
        exploit=f"{route} stores the `{each.model.name}` and then fails with MissingGreenlet, each time: the client gets 500, "
        "tries again, and stores it twice.",
        confidence=Confidence.FIRM if each.sure and each.commit.sure and operations else Confidence.TENTATIVE,
        trace=_trace(each),
        routes=routes_of(operations),
        impact=float(max(1, len(operations))),
    )


def _factory(each: ExpiredRead) -> str:
    """The reader's factory with what is missing."""
    name = last_name(each.factory.node.func)
    if isinstance(each.factory, SessionFactory) or name == "AsyncSession":
        return f"{name}(engine, expire_on_commit=False)"
    return "async_sessionmaker(engine, expire_on_commit=False)"


def _trace(each: ExpiredRead) -> tuple[Step, ...]:
    pairs: list[tuple[Site | Location, str]] = [
        (each.factory.location, "sessions are made without `expire_on_commit=False`"),
        (each.commit.site, "the commit marks the rows as stale"),
    ]
    pairs += [(call, f"`{last_name(call.node.func)}` gives the row back") for call in reversed(each.calls)]
    pairs.append(
        (each.use, f"`{each.attribute}` is read" if each.attribute else "the answer is built from it")
    )
    return steps(*pairs)


rule.bad = """
    from collections.abc import AsyncIterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Note(Base):
        __tablename__ = "notes"

        id: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str]


    engine = create_async_engine("sqlite+aiosqlite:///notes.db")
    new_session = async_sessionmaker(engine)


    async def get_session() -> AsyncIterator[AsyncSession]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with new_session() as session:
            yield session


    SessionDep = Annotated[AsyncSession, Depends(get_session)]
    app = FastAPI()


    @app.post("/notes", status_code=201)
    async def create_note(text: str, session: SessionDep) -> int:
        note = Note(text=text)
        session.add(note)
        await session.commit()
        return note.id  # finding: expired-attribute-after-commit-async
"""

rule.good = """
    from collections.abc import AsyncIterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Note(Base):
        __tablename__ = "notes"

        id: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str]


    engine = create_async_engine("sqlite+aiosqlite:///notes.db")
    new_session = async_sessionmaker(engine, expire_on_commit=False)


    async def get_session() -> AsyncIterator[AsyncSession]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with new_session() as session:
            yield session


    SessionDep = Annotated[AsyncSession, Depends(get_session)]
    app = FastAPI()


    @app.post("/notes", status_code=201)
    async def create_note(text: str, session: SessionDep) -> int:
        note = Note(text=text)
        session.add(note)
        await session.commit()
        return note.id
"""


@rule.symptom
def the_note_is_stored_and_the_client_told_otherwise(proof: Proof) -> None:
    """The note is stored, and the client gets a 500: reading its id after the commit raises MissingGreenlet."""
    assert proof.client.post("/notes", params={"text": "milk"}).status_code == 500
    assert any("MissingGreenlet" in error for error in proof.server_errors)
    assert proof.commits >= 1
