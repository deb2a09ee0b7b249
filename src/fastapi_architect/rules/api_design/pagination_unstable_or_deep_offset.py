"""Pages are cut out of rows that have no fixed order.

A database returns rows without ORDER BY in any order that suits it, and a different one after an update or
a vacuum. With LIMIT and OFFSET, some rows are then shown twice and others never. Sorting by a column with
equal values, such as a date, leaves the order among equals open, with the same result at the edge of a
page.

Known limits: statements that are put together across functions are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.select_statements import SelectStatement, selects
from fastapi_architect.appgraph.models import Model
from fastapi_architect.concepts.database import QueryStep
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    names_in,
    steps,
)

rule = Rule(
    __name__,
    "Pages are cut out of rows without a fixed order",
    severity=Severity.MINOR,
    cwe=1073,
    references=(
        "https://www.postgresql.org/docs/current/queries-limit.html",
        "https://opensource.zalando.com/restful-api-guidelines/#160",
    ),
    requires=("sqlalchemy",),
)


@rule.check(per=AppGraph)
def offset_without_a_total_order(graph: AppGraph, _graph: AppGraph) -> Iterator[Finding]:
    functions: dict[int, Function] = {}
    for step in graph.facts(QueryStep):
        if step.kind == "offset" and isinstance(step.scope, Function) and step.scope.module.kind == "source":
            functions[id(step.scope)] = step.scope
    by_class = {id(model.cls): model for model in graph.models}
    for function in functions.values():
        for statement in selects(graph, function):
            offsets = statement.of_kind("offset")
            if offsets and not statement.is_open and statement.start is not None:
                yield from _judged(statement, offsets[0], by_class, graph)


def _judged(
    statement: SelectStatement, offset: QueryStep, by_class: dict[int, Model], graph: AppGraph
) -> Iterator[Finding]:
    model = next((by_class[id(c)] for c in statement.models(graph) if id(c) in by_class), None)
    if model is None or statement.of_kind("group_by", "distinct", "union"):
        return
    key = next((c.attribute for c in model.columns if c.primary_key), "id")
    orders = statement.of_kind("order_by")
    if not orders:
        yield _finding(statement, offset, model, key, "has no order at all", Confidence.CERTAIN)
        return
    names = {name for step in orders for argument in step.args for name in names_in(argument)}
    known = names & set(model.by_attribute)
    unique = {c.attribute for c in model.columns if c.primary_key or c.unique}
    unique |= {u.columns[0] for u in model.table.uniques if len(u.columns) == 1}
    if not known or known & unique or len(known) < sum(len(step.args) for step in orders):
        return
    shown = ", ".join(f"`{name}`" for name in sorted(known))
    yield _finding(
        statement, offset, model, key, f"is ordered by {shown} only, where rows may be equal", Confidence.FIRM
    )


def _finding(
    statement: SelectStatement, offset: QueryStep, model: Model, key: str, what: str, confidence: Confidence
) -> Finding:
    name = model.name
    return rule.at(
        offset,
        f"`{statement.function.name}` cuts pages out of `{name}`, which {what}: rows are shown twice or never.",
        f"Add the key as the last order, or continue behind the last key, which is fast on late pages too:\n"
        f"```python\nselect({name}).order_by(..., {name}.{key})\n"
        f"select({name}).where({name}.{key} > after).order_by({name}.{key}).limit(limit)\n```",
        reasoning="Without a total order, a database may return equal rows in another order for each page.",
        exploit=f"Two pages of `{name}` are two statements; a row that the first one ended with begins the second one, or is in neither.",
        confidence=confidence,
        trace=steps((statement.site, "the statement is sent")),
        symbol=statement.function.full_name,
    )


rule.bad = """
    from typing import Annotated

    from fastapi import FastAPI, Query
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]


    Base.metadata.create_all(engine)
    app = FastAPI()


    @app.get("/books")
    def list_books(offset: int = 0, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[str]:
        with Session(engine) as session:
            books = session.scalars(
                select(Book).limit(limit).offset(offset)  # finding: pagination-unstable-or-deep-offset
            )
            return [book.title for book in books]
"""

rule.good = """
    from typing import Annotated

    from fastapi import FastAPI, Query
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]


    Base.metadata.create_all(engine)
    app = FastAPI()


    @app.get("/books")
    def list_books(offset: int = 0, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[str]:
        with Session(engine) as session:
            books = session.scalars(select(Book).order_by(Book.id).limit(limit).offset(offset))
            return [book.title for book in books]
"""


@rule.symptom
def the_page_has_no_order(proof: Proof) -> None:
    """The statement that cuts the page names no order, so that the database is free to choose one each time."""
    assert proof.client.get("/books?offset=20").status_code == 200
    pages = [text for text in proof.statements if "OFFSET" in text]
    assert pages
    assert not any("ORDER BY" in text for text in pages)
