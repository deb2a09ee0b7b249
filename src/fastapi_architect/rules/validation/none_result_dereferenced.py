"""The row that a query did not find is used as if it were there.

`session.get`, `first()`, `scalar_one_or_none()` give None when there is no such row, and so does every service that hands
their result on. `None.title` raises AttributeError: a client who asks for an id that does not exist (or no longer does)
gets a 500 instead of a 404, the error tracker fills with what is no fault, and half of the request may have happened.

Known limits: a test of the variable, an `assert` and a helper that tests it count, wherever they stand on the way. Where
the row is asked for by what another row says (a foreign key), it is taken to be there.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.missing_rows import MissingRow, missing_rows
from fastapi_architect.concepts.database import SessionGet
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
    "A row that may not exist is used without a check",
    severity=Severity.IMPORTANT,
    cwe=476,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/session_api.html#sqlalchemy.orm.Session.get",
        "https://www.rfc-editor.org/rfc/rfc9110.html#name-404-not-found",
    ),
    requires=("sqlalchemy",),
)


@rule.check(per=AppGraph)
def unchecked_row(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for each in missing_rows(graph):
        if not runs_as_script(each.use):
            yield _finding(each, graph)


def _finding(each: MissingRow, graph: AppGraph) -> Finding:
    entries = graph.entries(each.function)
    model = each.model.name if each.model is not None else "row"
    row = f"`{each.name}`" if each.name else f"what `{last_name(each.given.node.func)}` gives"
    read = f"`{each.name}.{each.attribute}`" if each.name else f"`.{each.attribute}`"
    asked = f"with this `{each.chosen.text}`" if each.chosen is not None else "that fits"
    route = first_route(entries, each.function.name)
    sure = each.chosen is not None and not each.asked_before and each.fetch.sure
    return rule.at(
        each.use,
        f"{row} is None when there is no `{model}` {asked}, and {read} then raises AttributeError.",
        _suggestion(each, model),
        reasoning=f"`{last_name(each.fetch.node.func)}` gives None where no row is found, and no test of {row} stands on the "
        "way to here.",
        exploit=f"A request to {route} that names no existing `{model}` is answered with 500 instead of 404.",
        confidence=Confidence.FIRM if sure else Confidence.TENTATIVE,
        trace=_trace(each),
        routes=routes_of(entries),
        impact=float(len(entries)),
    )


def _suggestion(each: MissingRow, model: str) -> str:
    if not each.name:
        required = "get_one" if isinstance(each.fetch, SessionGet) else "one"
        return (
            f"Keep the row in a variable and answer 404 when it is None, or ask with `{required}()` and turn its "
            "NoResultFound into a 404:\n```python\n"
            f'if found is None:\n    raise HTTPException(404, "There is no such {model}.")\n```'
        )
    return (
        "Answer 404 as soon as it is known:\n```python\n"
        f'if {each.name} is None:\n    raise HTTPException(404, "There is no such {model}.")\n```'
    )


def _trace(each: MissingRow) -> tuple[Step, ...]:
    pairs: list[tuple[Site | Location, str]] = [(each.fetch.site, "None when no row is found")]
    if each.given.node is not each.fetch.node:
        pairs.append((each.given, f"`{last_name(each.given.node.func)}` hands it on as it is"))
    pairs.append((each.use, f"None has no `{each.attribute}`"))
    return steps(*pairs)


rule.bad = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]


    Base.metadata.create_all(engine)


    @app.get("/books/{book_id}/title")
    def read_title(book_id: int, session: SessionDep) -> str:
        book = session.get(Book, book_id)
        return book.title  # finding: none-result-dereferenced
"""

rule.good = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI, HTTPException
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]


    Base.metadata.create_all(engine)


    @app.get("/books/{book_id}/title")
    def read_title(book_id: int, session: SessionDep) -> str:
        book = session.get(Book, book_id)
        if book is None:
            raise HTTPException(404, "There is no such book.")
        return book.title
"""


@rule.exploit
def an_unknown_id_is_a_server_error(proof: Proof) -> None:
    """An id that does not exist makes the server fail, with a traceback, where it should answer 404."""
    assert proof.client.get("/books/4711/title").status_code == 500
    assert any("AttributeError" in error for error in proof.server_errors)
