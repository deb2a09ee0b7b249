"""One statement joins two collections, and the database sends every pair.

`joinedload` of one collection repeats the parent for each child. With two, each child of the first meets each child of
the second: a book with 50 reviews and 40 copies is 2,000 rows for 90 objects. `selectinload` sends one short statement
for each collection and every row once.

Known limits: only options that begin a chain and stand in one statement are read; mappers with `lazy="joined"` are not
added to them.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.appgraph.models import Relationship
from fastapi_architect.concepts.database import LoaderOption
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    ir,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Two collections are joined in one statement",
    severity=Severity.MINOR,
    cwe=1073,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html#what-kind-of-loading-to-use",
    ),
    requires=("sqlalchemy",),
)


@rule.check(per=Function, having=(LoaderOption,))
def joined_collections(function: Function, graph: AppGraph) -> Iterator[Finding]:
    if function.module.kind != "source":
        return
    by_statement: dict[int, list[tuple[LoaderOption, Relationship]]] = {}
    for option in graph.within(LoaderOption, function):
        if option.kind == "joined" and option.after is None:  # a chain goes down, and multiplies nothing
            for attribute in option.attributes:
                relationship = _collection(attribute, option, graph)
                if relationship is not None:
                    by_statement.setdefault(option.site.statement.span, []).append((option, relationship))
    for found in by_statement.values():
        names = {(id(r.owner), r.attribute) for _, r in found}
        if len(names) > 1:
            yield _finding(function, found, graph)


def _collection(attribute: ir.Expr, option: LoaderOption, graph: AppGraph) -> Relationship | None:
    if not isinstance(attribute, ir.Attribute):
        return None
    for of in options(graph.program.inference.type_of(attribute.value, option.scope)):
        model = graph.database.model_of.get(id(of.cls)) if isinstance(of, ClassRef) else None
        relationship = model.relationship_by_name.get(attribute.attr) if model is not None else None
        if relationship is not None and relationship.uselist:
            return relationship
    return None


def _finding(function: Function, found: list[tuple[LoaderOption, Relationship]], graph: AppGraph) -> Finding:
    shown = [f"{r.owner.name}.{r.attribute}" for _, r in found]
    operations = graph.entries(function)
    loads = ", ".join(f"selectinload({name})" for name in shown)
    return rule.at(
        found[1][0],
        f"`{shown[0]}` and `{shown[1]}` are joined in one statement: a · b rows come back for a + b objects.",
        "Load each collection with a statement of its own:\n```python\n"
        f"statement = statement.options({loads})\n```",
        reasoning="The joins do not depend on each other, so that the result holds every combination of their rows.",
        confidence=Confidence.FIRM,
        trace=steps(*((o, f"joins `{name}`") for (o, _), name in zip(found, shown, strict=True))),
        routes=routes_of(operations),
        impact=float(len(operations)),
    )


_MODELS = """
    from fastapi import FastAPI
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship, selectinload

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Review(Base):
        __tablename__ = "reviews"

        id: Mapped[int] = mapped_column(primary_key=True)
        book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)


    class Copy(Base):
        __tablename__ = "copies"

        id: Mapped[int] = mapped_column(primary_key=True)
        book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        reviews: Mapped[list[Review]] = relationship()
        copies: Mapped[list[Copy]] = relationship()


    Base.metadata.create_all(engine)


    @app.post("/books")
    def add_book() -> None:
        with Session(engine) as session:
            session.add(Book(reviews=[Review() for _ in range(5)], copies=[Copy() for _ in range(4)]))
            session.commit()

"""

rule.bad = (
    _MODELS
    + """
    @app.get("/books")
    def list_books() -> list[int]:
        with Session(engine) as session:
            statement = select(Book).options(
                joinedload(Book.reviews),
                joinedload(Book.copies),  # finding: eager-load-cartesian-or-misapplied
            )
            return [len(book.reviews) for book in session.scalars(statement).unique()]
"""
)

rule.good = (
    _MODELS
    + """
    @app.get("/books")
    def list_books() -> list[int]:
        with Session(engine) as session:
            statement = select(Book).options(
                selectinload(Book.reviews),
                selectinload(Book.copies),
            )
            return [len(book.reviews) for book in session.scalars(statement).unique()]
"""
)


@rule.symptom
def nine_objects_are_twenty_rows(proof: Proof) -> None:
    """One book with five reviews and four copies comes back as twenty rows."""
    from sqlalchemy import text

    proof.client.post("/books")
    with proof.count_statements() as counted:
        assert proof.client.get("/books").json() == [5]
    sent = next(s for s in counted.statements if "FROM books" in s)
    with proof.module("main").engine.connect() as connection:
        assert len(connection.execute(text(sent)).all()) == 20
