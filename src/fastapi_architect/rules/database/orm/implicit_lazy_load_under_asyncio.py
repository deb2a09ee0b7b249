"""A relationship that was not loaded is read of a row of an asyncio session.

With `Session`, reading `review.book` sends a query. With `AsyncSession` there is nobody to await it: the attribute raises
MissingGreenlet, each time and for everybody. In a response model the same happens while FastAPI builds the answer,
and the traceback names no line of the handler. It works in a test where the row was made in the same session, and fails in
production, where it was not.

`refresh(review)` does not help, as it loads columns; `refresh(review, ["book"])` does.

Known limits: rows are followed from their query through variables, parameters, services and repositories, and where that
is not possible nothing is said. Deferred columns are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.row_origins import Origin, operations_with
from fastapi_architect.analyses.unloaded_reads import (
    UnloadedFields,
    UnloadedRead,
    unloaded_fields,
    unloaded_reads,
)
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
    "A relationship that was not loaded is read with an asyncio session",
    severity=Severity.CRITICAL,
    cwe=755,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#preventing-implicit-io-when-using-asyncsession",
        "https://docs.sqlalchemy.org/en/20/errors.html#error-xd2s",
    ),
    requires=("sqlalchemy", "aiosqlite"),
)


@rule.check(per=AppGraph)
def unloaded_relationship(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    grouped: dict[tuple[int, str], list[UnloadedRead]] = {}
    for each in unloaded_reads(graph):
        if not runs_as_script(each.read.site):
            key = (id(each.read.function), each.read.model.name + last_name(each.read.row))
            grouped.setdefault(key, []).append(each)
    for those in grouped.values():
        yield _finding(those, graph)
    for fields in unloaded_fields(graph):
        yield _of_answer(fields)


def _finding(those: list[UnloadedRead], graph: AppGraph) -> Finding:
    first = next((each for each in those if each.sure), those[0])
    read = first.read
    entries = operations_with(graph, read.function, first.origin)
    names = list(dict.fromkeys(each.read.path[0] for each in those if each.sure == first.sure))
    shown = ", ".join(f"`{read.model.name}.{name}`" for name in names)
    reader = f"`{read.by_schema}` reads" if read.by_schema else f"`{read.function.name}` reads"
    one = len(names) == 1
    return rule.at(
        read.site,
        f"{reader} {shown} of a row whose query did not load {'it' if one else 'them'}: with an AsyncSession that raises "
        "MissingGreenlet.",
        _suggestion(read.model.name, names, last_name(read.row) or "row", first.origin),
        reasoning=f"The relationship is loaded lazily (`lazy={read.relationship.lazy!r}`), which needs a query at the moment "
        "of reading, and an attribute cannot be awaited.",
        exploit=f"{first_route(entries, read.function.name)} fails with MissingGreenlet for every `{read.model.name}` that "
        f"has a `{names[0]}` to load: 500 each time.",
        confidence=Confidence.FIRM if first.sure and entries else Confidence.TENTATIVE,
        trace=_trace(first.origin, read.site, read.relationship.location, read.path[-1]),
        routes=routes_of(entries),
        impact=float(max(1, len(entries))),
    )


def _of_answer(found: UnloadedFields) -> Finding:
    names = [field.path[0] for field in found.fields]
    first = found.fields[0]
    shown = ", ".join(f"`{first.field.owner.name}.{name}`" for name in names)
    one = len(names) == 1
    return rule.at(
        found.handler,
        f"{found.operation.names[0]} cannot be answered: the response model reads {shown}, which the query of the "
        f"`{found.model.name}` did not load; with an AsyncSession that raises MissingGreenlet.",
        _suggestion(found.model.name, names, "row", found.origin),
        reasoning=f"FastAPI reads the {'field' if one else 'fields'} after the handler has returned; the "
        "relationship is loaded lazily, and nothing awaits the query.",
        exploit=f"`{found.operation.names[0]}` fails with MissingGreenlet for every `{found.model.name}` that has a "
        f"`{names[0]}` to load: 500 each time.",
        confidence=Confidence.FIRM if found.sure else Confidence.TENTATIVE,
        trace=_trace(found.origin, first.field.location, first.relationship.location, names[0]),
        routes=found.operation.names,
        impact=1.0,
    )


def _suggestion(model: str, names: list[str], row: str, origin: Origin) -> str:
    options = ", ".join(f"selectinload({model}.{name})" for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    refresh = f"await session.refresh({row}, [{listed}])"
    if origin.kind == "made":
        return f"Load what is read before the row is handed on:\n```python\n{refresh}\n```"
    if origin.kind == "get":
        loaded = f"row = await session.get({model}, key, options=[{options}])"
    else:
        loaded = f"statement = select({model}).options({options})"
    return f"Load it with the row:\n```python\n{loaded}\n```\nor afterwards:\n```python\n{refresh}\n```"


def _trace(origin: Origin, read: Site | Location, declared: Location, name: str) -> tuple[Step, ...]:
    pairs: list[tuple[Site | Location, str]] = []
    if origin.site is not None:
        how = (
            "the row is made here"
            if origin.kind == "made"
            else "the row is loaded here, by an asyncio session"
        )
        pairs.append((origin.place.scope.location(origin.site.node), how))
    pairs.append((read, f"`{name}` is read"))
    pairs.append((declared, "and loaded only then"))
    return steps(*pairs)


rule.bad = """
    from collections.abc import AsyncIterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import ForeignKey
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]


    class Review(Base):
        __tablename__ = "reviews"

        id: Mapped[int] = mapped_column(primary_key=True)
        book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)
        book: Mapped[Book] = relationship()


    engine = create_async_engine("sqlite+aiosqlite:///shop.db")
    new_session = async_sessionmaker(engine, expire_on_commit=False)


    async def get_session() -> AsyncIterator[AsyncSession]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with new_session() as session:
            yield session


    SessionDep = Annotated[AsyncSession, Depends(get_session)]
    app = FastAPI()


    @app.post("/reviews", status_code=201)
    async def add_review(title: str, session: SessionDep) -> None:
        session.add(Review(book=Book(title=title)))
        await session.commit()


    @app.get("/reviews/{review_id}/title")
    async def read_title(review_id: int, session: SessionDep) -> str:
        review = await session.get_one(Review, review_id)
        return review.book.title  # finding: implicit-lazy-load-under-asyncio
"""

rule.good = """
    from collections.abc import AsyncIterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import ForeignKey
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]


    class Review(Base):
        __tablename__ = "reviews"

        id: Mapped[int] = mapped_column(primary_key=True)
        book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)
        book: Mapped[Book] = relationship()


    engine = create_async_engine("sqlite+aiosqlite:///shop.db")
    new_session = async_sessionmaker(engine, expire_on_commit=False)


    async def get_session() -> AsyncIterator[AsyncSession]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with new_session() as session:
            yield session


    SessionDep = Annotated[AsyncSession, Depends(get_session)]
    app = FastAPI()


    @app.post("/reviews", status_code=201)
    async def add_review(title: str, session: SessionDep) -> None:
        session.add(Review(book=Book(title=title)))
        await session.commit()


    @app.get("/reviews/{review_id}/title")
    async def read_title(review_id: int, session: SessionDep) -> str:
        review = await session.get_one(Review, review_id, options=[selectinload(Review.book)])
        return review.book.title
"""


@rule.symptom
def reading_the_book_fails(proof: Proof) -> None:
    """The review is there, and its book, too; reading one from the other raises MissingGreenlet."""
    assert proof.client.post("/reviews", params={"title": "Emma"}).status_code == 201
    assert proof.client.get("/reviews/1/title").status_code == 500
    assert any("MissingGreenlet" in error for error in proof.server_errors)
