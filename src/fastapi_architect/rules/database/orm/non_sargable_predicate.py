"""A condition calls a function on an indexed column, so that the index cannot be used.

`func.date(Order.created_at) == day` computes the date of every order before it compares; the index on `created_at` is sorted by
something else. `func.lower(...)`, `cast(...)`, `ilike` and a pattern that begins with `%` do the same.

Known limits: `!=`, `NOT IN` and `OR` across columns are left alone; so are columns without an index, for which there is a
rule of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.query_predicates import Predicate, statements
from fastapi_architect.analyses.search_indexes import is_known, leading_columns, leads, table_of
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A function on an indexed column keeps the index from being used",
    severity=Severity.MINOR,
    cwe=1049,
    references=(
        "https://use-the-index-luke.com/sql/where-clause/functions",
        "https://www.postgresql.org/docs/current/indexes-expressional.html",
    ),
    requires=("sqlalchemy",),
)

_DATES = frozenset({"date", "extract", "date_trunc", "year", "month", "day", "to_char", "strftime", "DATE"})
_FUNCTIONS = frozenset({"lower", "upper", "trim", "cast", "substr", "substring", "coalesce", *_DATES})
_COMPARED = ("==", "<", "<=", ">", ">=", "in", "between")


@rule.check(per=AppGraph)
def index_not_used(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for statement in statements(graph):
        function = statement.function
        if function is None or function.module.kind != "source" or _has_other(statement.predicates, graph):
            continue
        for predicate in statement.predicates:
            way = _way(predicate, graph)
            if not way or not _indexed(predicate, way, graph):
                continue
            operations = graph.entries(function)
            if operations:
                yield _finding(predicate, way, routes_of(operations), graph)


def _has_other(predicates: tuple[Predicate, ...], graph: AppGraph) -> bool:
    """A condition beside it is answered by an index."""
    return any(
        p.operator in ("==", "in")
        and not p.function
        and not p.alternative
        and leads(p.model, p.column.name, graph)
        for p in predicates
    )


def _way(predicate: Predicate, graph: AppGraph) -> str:
    """The function, or the pattern, that defeats the index; "" when none does."""
    if predicate.function in _FUNCTIONS and predicate.operator in _COMPARED:
        return predicate.function
    if predicate.function or predicate.operator != "like" or not isinstance(predicate.expr, ir.Call):
        return ""
    method = last_name(predicate.expr.func)
    if method in ("contains", "icontains", "endswith"):
        return method
    return method if _leading_wildcard(predicate.value, predicate, graph) else ""


def _leading_wildcard(value: ir.Expr | None, predicate: Predicate, graph: AppGraph) -> bool:
    if value is None:
        return False
    expr, scope = graph.program.inference.expand(value, predicate.scope)
    if isinstance(expr, ir.JoinedStr) and expr.values:
        expr = expr.values[0]
    elif isinstance(expr, ir.BinOp):
        while isinstance(expr, ir.BinOp):
            expr = expr.left
    text = graph.program.constants.string(expr, scope)
    return text is not None and text.startswith("%")


def _indexed(predicate: Predicate, way: str, graph: AppGraph) -> bool:
    """A plain index begins with the column, and none is made for this search."""
    model, column = predicate.model, predicate.column.name
    if column in table_of(model, graph).primary_key or not is_known(model, graph):
        return False
    if not leads(model, column, graph):
        return False
    lists = leading_columns(model, graph)
    if any("?" in columns or any("(" in c and column in c for c in columns) for columns in lists):
        return False
    others = {i.using for i in table_of(model, graph).indexes if column in i.columns}
    return way in _FUNCTIONS or not others & {"gin", "gist"}


def _finding(predicate: Predicate, way: str, routes: tuple[str, ...], graph: AppGraph) -> Finding:
    model, name, table = predicate.model.name, predicate.column.attribute, predicate.model.table.name
    written = " ".join(text_at(graph, predicate.location).split())
    return rule.at(
        predicate,
        f"`{written}` cannot use the index on `{table}.{predicate.column.name}`: each request computes it for all n rows.",
        _advice(predicate, way, f"{model}.{name}", table),
        reasoning=f"The index is sorted by `{name}`, not by what `{way}` makes of it, and no index of that expression exists.",
        exploit=f"With a million rows of `{table}`, the database reads all of them for each call of "
        f"`{routes[0] if routes else predicate.scope.name}`.",
        confidence=Confidence.FIRM,
        trace=steps((predicate.column, f"`{name}` is indexed as it is")),
        routes=routes,
        impact=float(len(routes)),
        symbol=predicate.scope.full_name,
    )


def _advice(predicate: Predicate, way: str, column: str, table: str) -> str:
    name = predicate.column.name
    if way in _DATES or (
        way == "cast" and predicate.column.type is not None and predicate.column.type.family == "datetime"
    ):
        return (
            "Compare the column itself with both ends of the period:\n```python\n"
            f"statement = statement.where({column} >= start, {column} < start + timedelta(days=1))\n```"
        )
    if way in _FUNCTIONS:
        call = f"func.{way}({column})" if way != "cast" else f"cast({column}, wanted_type)"
        return f'Index what is searched:\n```python\nIndex("ix_{table}_{name}_{way}", {call})\n```\nor store it that way.'
    return (
        "Let PostgreSQL index the pieces of the text:\n```python\n"
        f'Index("ix_{table}_{name}_trgm", {column}, postgresql_using="gin", postgresql_ops={{"{name}": "gin_trgm_ops"}})\n```\n'
        "or search by the beginning only."
    )


rule.bad = """
    from datetime import date, datetime

    from fastapi import FastAPI
    from sqlalchemy import create_engine, func, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        created_at: Mapped[datetime] = mapped_column(index=True)
        note: Mapped[str]


    Base.metadata.create_all(engine)


    @app.get("/orders")
    def of_day(day: date) -> list[str]:
        statement = select(Order.note).where(func.date(Order.created_at) == day)  # finding: non-sargable-predicate
        with Session(engine) as session:
            return list(session.scalars(statement.limit(100)))
"""

rule.good = """
    from datetime import date, datetime, time, timedelta

    from fastapi import FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        created_at: Mapped[datetime] = mapped_column(index=True)
        note: Mapped[str]


    Base.metadata.create_all(engine)


    @app.get("/orders")
    def of_day(day: date) -> list[str]:
        start = datetime.combine(day, time())
        statement = select(Order.note).where(Order.created_at >= start, Order.created_at < start + timedelta(days=1))
        with Session(engine) as session:
            return list(session.scalars(statement.limit(100)))
"""


@rule.symptom
def the_index_is_not_used(proof: Proof) -> None:
    """The database plans to scan all orders, although there is an index on their time."""
    from sqlalchemy import text

    proof.client.get("/orders?day=2026-01-01")
    sent = next(s for s in proof.statements if "FROM orders" in s)
    with proof.module("main").engine.connect() as connection:
        plan = connection.execute(text("EXPLAIN QUERY PLAN " + sent.replace("?", "1"))).all()
    assert any("SCAN" in str(row) for row in plan)
