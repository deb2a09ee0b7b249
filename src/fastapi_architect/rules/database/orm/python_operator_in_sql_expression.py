"""A Python operator decides in Python what the database was to decide.

`Order.cancelled_at is None` compares the column object with None and is always `False`: the query asks for nothing and finds
no row. `not Order.paid` is always `False`, too; `a == 1 and b == 2` keeps one of the two conditions and drops the other
without a word; `Order.status in ["new"]` is `False` for every list. Python cannot overload these operators, so that no error
is raised.

A statement in a function that no code names is never sent: there it is tentative.

Known limits: columns of core tables and of aliases are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.never_named import is_never_named
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.concepts.database import QueryStep
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Edit,
    Finding,
    Fix,
    Proof,
    Rule,
    Scope,
    Severity,
    first_route,
    ir,
    routes_of,
)

rule = Rule(
    __name__,
    "A Python operator stands where SQL was meant",
    severity=Severity.CRITICAL,
    cwe=480,
    references=(
        "https://docs.sqlalchemy.org/en/20/core/operators.html",
        "https://docs.sqlalchemy.org/en/20/core/sqlelement.html#sqlalchemy.sql.expression.ColumnOperators.is_",
    ),
    requires=("sqlalchemy",),
)

_METHODS = {"is": "is_", "is not": "is_not", "in": "in_", "not in": "not_in"}
#: What the Python expression is, whatever the row holds.
_ALWAYS = {"is": "False", "is not": "True", "in": "False", "not in": "True"}
#: Arguments of these calls are conditions, too.
_COMBINING = frozenset({"and_", "or_", "not_", "case", "case_", "exists"})


@rule.check(per=QueryStep)
def decided_in_python(step: QueryStep, graph: AppGraph) -> Iterator[Finding]:
    if step.kind not in ("where", "having", "join"):
        return
    for arg in step.args:
        for expr in _conditions(arg):
            found = _mistake(expr, step.scope, graph)
            if found is not None:
                yield _finding(step, expr, found, graph)


def _conditions(expr: ir.Expr) -> Iterator[ir.Expr]:
    """Parts of a condition that are conditions themselves, outer first."""
    yield expr
    if isinstance(expr, ir.BoolOp):
        for value in expr.values:
            yield from _conditions(value)
    elif isinstance(expr, ir.BinOp) and expr.op in ("&", "|"):
        yield from _conditions(expr.left)
        yield from _conditions(expr.right)
    elif isinstance(expr, ir.UnaryOp):
        yield from _conditions(expr.operand)
    elif isinstance(expr, ir.Call):
        name = expr.func.attr if isinstance(expr.func, ir.Attribute) else getattr(expr.func, "id", "")
        if name in _COMBINING:
            for arg in expr.args:
                yield from _conditions(arg)


def _mistake(expr: ir.Expr, scope: Scope, graph: AppGraph) -> tuple[str, str] | None:
    """What happens, and the expression that was meant; None when all is well."""

    def text(node: ir.Expr) -> str:
        return text_at(graph, scope.location(node))

    if isinstance(expr, ir.Compare) and len(expr.ops) == 1 and expr.ops[0] in _METHODS:
        if _column(expr.left, scope, graph) is None:
            return None
        op = expr.ops[0]
        meant = f"{text(expr.left)}.{_METHODS[op]}({text(expr.comparators[0])})"
        return f"is always {_ALWAYS[op]} in Python, for every row", meant
    if isinstance(expr, ir.UnaryOp) and expr.op == "not" and _column(expr.operand, scope, graph) is not None:
        return "is always False in Python, for every row", f"~{text(expr.operand)}"
    if isinstance(expr, ir.BoolOp) and all(_is_sql(v, scope, graph) for v in expr.values):
        op = "&" if expr.op == "and" else "|"
        meant = f" {op} ".join(f"({text(v)})" for v in expr.values)
        return f"keeps one of its conditions and drops the other{'s' * (len(expr.values) > 2)}", meant
    return None


def _is_sql(expr: ir.Expr, scope: Scope, graph: AppGraph) -> bool:
    """An expression that SQLAlchemy makes SQL of."""
    if isinstance(expr, ir.Compare):
        return any(_column(e, scope, graph) is not None for e in (expr.left, *expr.comparators))
    if isinstance(expr, ir.BinOp) and expr.op in ("&", "|"):
        return _is_sql(expr.left, scope, graph)
    if isinstance(expr, ir.UnaryOp):
        return _is_sql(expr.operand, scope, graph)
    if isinstance(expr, ir.Call) and isinstance(expr.func, ir.Attribute):
        return _column(expr.func.value, scope, graph) is not None
    return _column(expr, scope, graph) is not None


def _column(expr: ir.Expr, scope: Scope, graph: AppGraph) -> str | None:
    """`Model.column` of a mapped class; None for an instance's value and for everything else."""
    if not isinstance(expr, ir.Attribute):
        return None
    for of in options(graph.program.inference.type_of(expr.value, scope)):
        model = graph.database.model_of.get(id(of.cls)) if isinstance(of, ClassRef) else None
        if model is not None and expr.attr in model.by_attribute:
            return f"{model.name}.{expr.attr}"
    return None


def _finding(step: QueryStep, expr: ir.Expr, found: tuple[str, str], graph: AppGraph) -> Finding:
    happens, meant = found
    place = step.scope.location(expr)
    written = text_at(graph, place)
    short = " ".join(re.sub(r"#[^\n]*", "", written).split())
    function = step.function
    operations = graph.entries(function) if function is not None else ()
    dead = function is not None and not operations and is_never_named(graph, function)
    code = " ".join(meant.split())
    return rule.at(
        place,
        f"`{short}` {happens}: the database never sees the condition.",
        f"Use SQLAlchemy's operator:\n```python\n# Bad\n{short}\n# Good\n{code}\n```",
        reasoning="`is`, `in`, `not`, `and` and `or` cannot be overloaded: Python evaluates them on the column object "
        "before the statement is made.",
        exploit=f"{first_route(operations, step.scope.name)} gets the rows of a statement from which `{short}` is missing.",
        confidence=Confidence.TENTATIVE if dead else Confidence.CERTAIN,
        fix=Fix("Use SQLAlchemy's operator", (Edit(place, meant),), safe=True),
        routes=routes_of(operations),
        symbol=step.scope.full_name,
    )


rule.bad = """
    from datetime import datetime

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
        cancelled_at: Mapped[datetime | None]


    Base.metadata.create_all(engine)


    @app.post("/orders")
    def place_order() -> None:
        with Session(engine) as session:
            session.add(Order())
            session.commit()


    @app.get("/orders/open")
    def open_orders(after: int = 0) -> list[int]:
        with Session(engine) as session:
            statement = select(Order.id).where(
                Order.cancelled_at is None,  # finding: python-operator-in-sql-expression
                Order.id > after,
            )
            return list(session.scalars(statement.limit(100)))
"""

rule.good = """
    from datetime import datetime

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
        cancelled_at: Mapped[datetime | None]


    Base.metadata.create_all(engine)


    @app.post("/orders")
    def place_order() -> None:
        with Session(engine) as session:
            session.add(Order())
            session.commit()


    @app.get("/orders/open")
    def open_orders(after: int = 0) -> list[int]:
        with Session(engine) as session:
            statement = select(Order.id).where(
                Order.cancelled_at.is_(None),
                Order.id > after,
            )
            return list(session.scalars(statement.limit(100)))
"""


@rule.symptom
def an_open_order_is_not_found(proof: Proof) -> None:
    """An order that nobody cancelled is not among the open orders: the statement asks for `false`."""
    proof.client.post("/orders")
    assert proof.client.get("/orders/open").json() == []
