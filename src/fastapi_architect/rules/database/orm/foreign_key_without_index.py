"""A foreign key that no index begins with.

PostgreSQL and SQLite index what a foreign key refers to, not the referring column. Each time a row of the parent is deleted, or
its children are asked for, the whole child table is read: deleting one user takes as long as there are reviews of
everybody.

Known limits: nothing is said about MySQL, which makes the index itself, nor where nobody deletes parents or asks for
children; the size of a table is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.query_predicates import Predicate, statements
from fastapi_architect.analyses.search_indexes import is_known, leading_columns, table_of
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.tables import Column, ForeignKey
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Edit,
    Finding,
    Fix,
    Location,
    Proof,
    Rule,
    Severity,
    Step,
)

rule = Rule(
    __name__,
    "No index begins with a foreign key",
    severity=Severity.MINOR,
    cwe=1049,
    references=(
        "https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK",
        "https://www.sqlite.org/foreignkeys.html#fk_indexes",
    ),
    requires=("sqlalchemy",),
)

_SEARCHES = ("==", "in", "join")


@rule.check(per=AppGraph)
def unindexed_reference(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    if graph.dialect not in ("postgresql", "sqlite"):
        return
    told: set[Location] = set()
    for model in graph.models:
        for column, key in _unindexed(model, graph):
            reason = _reason(model, column, key, graph)
            if reason is not None and column.location not in told:
                told.add(column.location)  # a mixin's column belongs to several models
                yield _finding(model, column, key, reason, graph)


def _unindexed(model: Model, graph: AppGraph) -> Iterator[tuple[Column, ForeignKey]]:
    table = table_of(model, graph)
    keys = [key for key in table.foreign_keys if len(key.columns) == 1]
    if not keys or not is_known(model, graph):
        return
    leading = {columns[0] for columns in leading_columns(model, graph)}
    for key in keys:
        column = table.by_name.get(key.columns[0])
        if column is not None and column.owner is model.cls and column.name not in leading:
            yield column, key


def _reason(model: Model, column: Column, key: ForeignKey, graph: AppGraph) -> Step | None:
    """Why somebody searches by the column, with the place; None when nobody does."""
    if (key.ondelete or "").upper() in ("CASCADE", "SET NULL", "SET DEFAULT"):
        return Step(
            key.location, f"deleting a row of `{key.table}` searches `{model.table.name}` (`ondelete`)"
        )
    for predicate in _predicates(graph).get((id(model.cls), column.name), ()):
        return Step(predicate.location, f"this query searches by `{column.attribute}`")
    if not _only_key_to(model, key.table, graph):
        return None
    for other in graph.models:
        if other.table.full_name != key.table:
            continue
        for relationship in other.relationships:
            if relationship.target is model.cls and relationship.secondary is None and relationship.uselist:
                text = f"`{other.name}.{relationship.attribute}` searches by `{column.attribute}`"
                return Step(relationship.location, text)
    return None


def _only_key_to(model: Model, table: str, graph: AppGraph) -> bool:
    return sum(key.table == table for key in table_of(model, graph).foreign_keys) == 1


@question
def _predicates(graph: AppGraph) -> dict[tuple[int, str], list[Predicate]]:
    found: dict[tuple[int, str], list[Predicate]] = {}
    for statement in statements(graph):
        if statement.scope.module.kind != "source":
            continue
        for p in statement.predicates:
            if p.operator in _SEARCHES and not p.function:
                found.setdefault((id(p.model.cls), p.column.name), []).append(p)
    return found


def _finding(model: Model, column: Column, key: ForeignKey, reason: Step, graph: AppGraph) -> Finding:
    name = column.attribute or column.name
    index = f'op.create_index("ix_{model.table.name}_{column.name}", "{model.table.name}", ["{column.name}"])'
    return rule.at(
        column,
        f"`{model.name}.{name}` refers to `{key.table}` and has no index: each search by it reads all of "
        f"`{model.table.name}`.",
        f"Add `index=True` to `{name}`, and the migration:\n```python\n{index}\n```",
        reasoning=f"{graph.dialect} makes no index for the referring side of a foreign key; {reason.text}.",
        exploit=f"With a million rows of `{model.table.name}`, the database reads all of them to find those of one row of `{key.table}`.",
        confidence=Confidence.FIRM,
        trace=(reason,),
        fix=_fix(column),
        symbol=model.cls.full_name,
    )


def _fix(column: Column) -> Fix | None:
    if column.call is None:
        return None
    call = column.call
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if not given:
        end = column.scope.location(call)
        behind = Location(end.path, end.end_line, end.end_column - 1, end.end_line, end.end_column - 1)
        return Fix("Add `index=True`", (Edit(behind, "index=True"),))
    last = max((column.scope.location(each) for each in given), key=lambda at: (at.end_line, at.end_column))
    behind = Location(last.path, last.end_line, last.end_column, last.end_line, last.end_column)
    return Fix("Add `index=True`", (Edit(behind, ", index=True"),))


rule.bad = """
    from fastapi import FastAPI
    from sqlalchemy import ForeignKey, create_engine, text
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class User(Base):
        __tablename__ = "users"

        id: Mapped[int] = mapped_column(primary_key=True)


    class Review(Base):
        __tablename__ = "reviews"

        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))  # finding: foreign-key-without-index
        body: Mapped[str]


    Base.metadata.create_all(engine)


    @app.delete("/users/{user_id}")
    def remove_user(user_id: int) -> None:
        with Session(engine) as session:
            session.delete(session.get_one(User, user_id))
            session.commit()
"""

rule.good = """
    from fastapi import FastAPI
    from sqlalchemy import ForeignKey, create_engine, text
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class User(Base):
        __tablename__ = "users"

        id: Mapped[int] = mapped_column(primary_key=True)


    class Review(Base):
        __tablename__ = "reviews"

        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
        body: Mapped[str]


    Base.metadata.create_all(engine)


    @app.delete("/users/{user_id}")
    def remove_user(user_id: int) -> None:
        with Session(engine) as session:
            session.delete(session.get_one(User, user_id))
            session.commit()
"""


@rule.symptom
def the_database_reads_every_review(proof: Proof) -> None:
    """The database plans to scan all reviews in order to find those of one user."""
    from sqlalchemy import text

    with proof.module("main").engine.connect() as connection:
        plan = connection.execute(text("EXPLAIN QUERY PLAN DELETE FROM reviews WHERE user_id = 1")).all()
    assert any("SCAN" in str(row) for row in plan)
