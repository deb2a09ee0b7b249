"""A coroutine is made and nobody awaits it, so its body never runs.

Calling an `async def` only prepares it. Without `await` the commit is not made, the row is not deleted, the
mail is not sent; an answer that is read from it is not there, and a test of it is always true. Python says so
in a warning that appears in a log, if at all.

Known limits: coroutines kept in attributes, lists or arguments are taken to be awaited there. Checks of who
may do what are reported by `authorization-coroutine-not-awaited`.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.coroutines import Unawaited, unawaited
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Edit,
    Finding,
    Fix,
    Function,
    Location,
    Proof,
    Rule,
    Severity,
    ir,
    steps,
)

rule = Rule(
    __name__,
    "A coroutine is never awaited, so what it should do never happens",
    severity=Severity.CRITICAL,
    cwe=670,
    references=(
        "https://docs.python.org/3/library/asyncio-dev.html#detect-never-awaited-coroutines",
        "https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html",
    ),
    requires=("sqlalchemy", "aiosqlite"),
)

_SO = {
    "discarded": "the coroutine is thrown away and its body never runs",
    "tested": "a coroutine is always true, whatever it would have answered",
    "read": "a coroutine has no such part; this raises an error when it is reached",
    "formatted": "the text shows a coroutine object, not its result",
    "iterated": "a coroutine cannot be iterated over; this raises an error when it is reached",
    "returned": "the framework gets a coroutine object, not its result",
    "kept": "the name holds a coroutine that is never run",
}


@rule.check(per=AppGraph)
def coroutine_never_runs(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for found in unawaited(graph):
        if not found.decides_access:
            yield _finding(found, graph)


def _finding(found: Unawaited, graph: AppGraph) -> Finding:
    scope = found.site.scope
    assert isinstance(scope, Function)
    trace = [(found.site, f"{found.name}(...) makes a coroutine; {_SO[found.use]}")]
    if found.function is not None:
        trace.append((found.function.location(), f"{found.function.name} is declared with async def"))  # type: ignore[arg-type]
    return rule.at(
        found.site,
        f"`{scope.name}` calls `{found.name}` without `await`: {_SO[found.use]}.",
        _suggestion(found, scope, graph),
        reasoning=f"`{found.name}` gives a coroutine, and no `await`, task or `gather` takes it.",
        exploit=f"When `{scope.name}` is over, nothing of `{found.name}` has happened.",
        confidence=Confidence.CERTAIN,
        trace=steps(*trace),
        fix=_fix(found, scope),
    )


def _suggestion(found: Unawaited, scope: Function, graph: AppGraph) -> str:
    body = f"# Bad\n{found.name}(...)\n# Good\nawait {found.name}(...)"
    code = definition(graph, scope, body, is_async=True)
    if scope.is_async:
        return f"Await it:\n```python\n{code}\n```"
    return (
        f"`{scope.name}` is no coroutine function and cannot await. Declare it with `async def` and await it "
        f"there and "
        f"here:\n```python\n{code}\n```"
    )


def _fix(found: Unawaited, scope: Function) -> Fix | None:
    if not scope.is_async or found.site.context.inside("lambda") is not None or found.use == "iterated":
        return None
    place = found.site.scope.location(found.site.node)
    begin = Location(place.path, place.line, place.column)
    if found.use != "read" or (found.site.statement.__class__ is ir.Assign and _is_whole(found)):
        return Fix(f"Await {found.name}", (Edit(begin, "await "),), safe=True)
    end = Location(place.path, place.end_line, place.end_column)
    return Fix(f"Await {found.name}", (Edit(begin, "(await "), Edit(end, ")")), safe=True)


def _is_whole(found: Unawaited) -> bool:
    return getattr(found.site.statement, "value", None) is found.site.node


rule.bad = """
    from collections.abc import AsyncIterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import select
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
    async def create_note(text: str, session: SessionDep) -> None:
        session.add(Note(text=text))
        session.commit()  # finding: coroutine-not-awaited


    @app.get("/notes")
    async def list_notes(session: SessionDep) -> list[str]:
        return list(await session.scalars(select(Note.text).limit(100)))
"""

rule.good = """
    from collections.abc import AsyncIterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import select
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
    async def create_note(text: str, session: SessionDep) -> None:
        session.add(Note(text=text))
        await session.commit()


    @app.get("/notes")
    async def list_notes(session: SessionDep) -> list[str]:
        return list(await session.scalars(select(Note.text).limit(100)))
"""


@rule.symptom
def the_note_is_not_there(proof: Proof) -> None:
    """The client is told 201 Created, and the note is nowhere."""
    assert proof.client.post("/notes", params={"text": "buy milk"}).status_code == 201
    assert proof.client.get("/notes").json() == []
