"""The response model reads a relationship of every row, and each reading is a query.

The handler returns rows, and FastAPI fills the response model from them. A field that is a relationship is loaded lazily
at that moment, once for each row: a page of 100 books with their authors takes up to 101 queries, and nothing in the
handler shows it. `selectinload` fetches all of them in one more query.

Known limits: where the rows cannot be followed to their query, loading is looked for in everything the handler calls, so
that an option on another query of the same relationship counts, too. With asyncio the same field fails instead; another
rule says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.lazy_fields import LazyField
from fastapi_architect.analyses.lazy_responses import lazy_response
from fastapi_architect.analyses.query_counts import page_of
from fastapi_architect.appgraph.models import Model
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    steps,
)

rule = Rule(
    __name__,
    "The response model queries once for each row",
    severity=Severity.IMPORTANT,
    cwe=1073,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html#selectin-eager-loading",
        "https://fastapi.tiangolo.com/tutorial/response-model/",
    ),
    requires=("sqlalchemy",),
)


@rule.check(per=PathOperation)
def lazy_field(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    found = lazy_response(operation, graph)
    if found is not None and operation.handler is not None:
        yield _finding(operation, operation.handler, found.field, found.model, sure=found.sure)


def _finding(
    operation: PathOperation, handler: Function, found: LazyField, model: Model, *, sure: bool
) -> Finding:
    path, field, relationship = found.path, found.field, found.relationship
    rows = page_of([operation])
    sure = sure and not operation.is_write  # a write answers with the few rows that it was sent
    option = f"selectinload({model.name}.{path[0]})" + "".join(
        f".selectinload({relationship.owner.name}.{p})" for p in path[1:]
    )
    return rule.at(
        handler,
        f"{operation.names[0]} runs 1 + n queries: `{field.owner.name}.{field.name}` loads `{relationship.owner.name}."
        f"{relationship.attribute}` once for each row, up to {rows.number + 1} queries with {rows.text}.",
        "Load it together with the rows, where the statement is made:\n```python\n"
        f"statement = select({model.name}).options({option})\n```\nor leave the field out of `{field.owner.name}`.",
        reasoning=f"The relationship is loaded lazily (`lazy={relationship.lazy!r}`), and no loader option in what "
        f"`{handler.name}` calls names it; FastAPI reads it while it builds the response.",
        exploit=f"With {rows.number} rows, `{operation.names[0]}` sends one query for them and {rows.number} more, one for "
        f"each `{path[-1]}`.",
        confidence=Confidence.FIRM if sure else Confidence.TENTATIVE,
        trace=steps(
            (field.location, f"the response model reads `{field.name}`"),
            (relationship.location, f"`{relationship.attribute}` is loaded when it is read"),
        ),
        routes=operation.names,
        impact=float(rows.number),
    )


rule.bad = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from pydantic import BaseModel, ConfigDict
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    class Base(DeclarativeBase):
        pass


    class Author(Base):
        __tablename__ = "authors"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), index=True)
        author: Mapped[Author] = relationship()


    class AuthorOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        name: str


    class BookOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        id: int
        author: AuthorOut


    Base.metadata.create_all(engine)


    @app.post("/books/{author}")
    def add_book(author: str, session: SessionDep) -> None:
        session.add(Book(author=Author(name=author)))
        session.commit()


    @app.get("/books", response_model=list[BookOut])
    def list_books(session: SessionDep, limit: int = 50) -> list[Book]:  # finding: n-plus-one-through-response-model
        return list(session.scalars(select(Book).limit(limit)))
"""

rule.good = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from pydantic import BaseModel, ConfigDict
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    class Base(DeclarativeBase):
        pass


    class Author(Base):
        __tablename__ = "authors"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), index=True)
        author: Mapped[Author] = relationship()


    class AuthorOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        name: str


    class BookOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        id: int
        author: AuthorOut


    Base.metadata.create_all(engine)


    @app.post("/books/{author}")
    def add_book(author: str, session: SessionDep) -> None:
        session.add(Book(author=Author(name=author)))
        session.commit()


    @app.get("/books", response_model=list[BookOut])
    def list_books(session: SessionDep, limit: int = 50) -> list[Book]:
        return list(session.scalars(select(Book).options(selectinload(Book.author)).limit(limit)))
"""


@rule.symptom
def five_books_take_six_queries(proof: Proof) -> None:
    """Five books of five authors are answered with one query for the books and one for each author."""
    for author in ("Austen", "Brontë", "Christie", "Dickens", "Eliot"):
        proof.client.post(f"/books/{author}")
    with proof.count_statements() as counted:
        assert len(proof.client.get("/books").json()) == 5
    assert len([s for s in counted.statements if "SELECT" in s]) >= 6
