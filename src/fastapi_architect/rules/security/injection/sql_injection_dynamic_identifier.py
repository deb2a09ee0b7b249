"""Text from a request names a column, an order or an operator of an SQL statement.

Names and keywords cannot be bound. `order_by(text(sort))`, `literal_column(name)`, `column.op(operator)` and prefixes or hints
are written into the statement as they are, and an expression with a subquery in that place answers questions about any
table, one bit at a time. What SQLAlchemy quotes itself (`column(name)`, `table(name)`, a plain string for `order_by`) is
harmless, as are values of a closed list, enumerations and strict patterns.

Known limits: a whole statement that is text, names included, belongs to `sql-injection-raw-statement`.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.request_flows import Flow, flows_to
from fastapi_architect.concepts.database import SqlText
from fastapi_architect.rules.kit import AppGraph, Files, Finding, Proof, Rule, Severity

rule = Rule(
    __name__,
    "Request data names a column or an order in SQL",
    severity=Severity.CRITICAL,
    cwe=89,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Query_Parameterization_Cheat_Sheet.html",
        "https://docs.sqlalchemy.org/en/20/core/sqlelement.html#sqlalchemy.sql.expression.literal_column",
    ),
    requires=("sqlalchemy",),
)

_PLACES = {
    "text": "the order or grouping",
    "column": "a column",
    "operator": "an operator",
    "prefix": "a keyword",
    "hint": "a hint",
    "ddl": "a statement that changes tables",
}


@rule.check(per=AppGraph)
def request_data_as_an_identifier(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for flow in flows_to(graph, "sql-identifier"):
        fact = flow.fact
        assert isinstance(fact, SqlText)
        place = _PLACES.get(fact.kind, "a name")
        yield rule.at(
            fact,
            f"`{flow.name}` of {flow.carrier}{flow.others} is written into this SQL as {place}.",
            _suggestion(flow, fact),
            reasoning=(
                f"`{flow.name}` is {flow.sent}. It reaches the statement{flow.through} with no "
                f"check against a closed list on the way; {place} is no value, so nothing binds or quotes it."
            ),
            exploit=(
                f"{flow.attacker} with `(CASE WHEN (SELECT ...) THEN 1 ELSE 2 END)` for `{flow.field}` tells by the answer whether "
                "any condition about any table holds."
            ),
            confidence=flow.confidence,
            trace=flow.trace(f"it is written into the SQL as {place}"),
            routes=flow.routes,
        )


def _suggestion(flow: Flow, fact: SqlText) -> str:
    value = flow.field if flow.field.isidentifier() else "name"
    if fact.kind == "operator":
        return (
            "Choose the operator in the code:\n```python\nimport operator\n\n"
            f'OPERATORS = {{"=": operator.eq, "<": operator.lt, ">": operator.gt}}\n'
            f"condition = OPERATORS[{value}](Book.price, price)\n```"
        )
    return (
        "Look it up among the columns that you offer, and declare the parameter as an `Enum` or `Literal`:\n```python\n"
        f'COLUMNS = {{"title": Book.title, "price": Book.price}}\nstatement = statement.order_by(COLUMNS[{value}])\n```'
    )


_SHOP = """
    from sqlalchemy import create_engine, text
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})

    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "books"
        title: Mapped[str] = mapped_column(primary_key=True)
        price: Mapped[int]

    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO books VALUES ('Dune', 2), ('Emma', 1)"))
        connection.execute(text("CREATE TABLE customers (password TEXT)"))
        connection.execute(text("INSERT INTO customers VALUES ('secret')"))
"""

rule.bad = Files(
    {
        "shop.py": _SHOP,
        "main.py": """
        from fastapi import FastAPI
        from sqlalchemy import select, text

        from shop import Book, engine

        app = FastAPI()

        @app.get("/books")
        def books(sort: str = "title") -> list[str]:
            statement = select(Book.title).order_by(text(sort))  # finding: sql-injection-dynamic-identifier
            with engine.connect() as connection:
                return list(connection.scalars(statement))
    """,
    }
)

rule.good = Files(
    {
        "shop.py": _SHOP,
        "main.py": """
        from fastapi import FastAPI, HTTPException
        from sqlalchemy import select

        from shop import Book, engine

        app = FastAPI()
        COLUMNS = {"title": Book.title, "price": Book.price}

        @app.get("/books")
        def books(sort: str = "title") -> list[str]:
            if sort not in COLUMNS:
                raise HTTPException(422, "books cannot be sorted by this")
            statement = select(Book.title).order_by(COLUMNS[sort])
            with engine.connect() as connection:
                return list(connection.scalars(statement))
    """,
    }
)


@rule.exploit
def the_order_of_books_tells_a_password(proof: Proof) -> None:
    """The books come in another order when a guess about a customer's password is right."""
    guess = "(CASE WHEN (SELECT password FROM customers) LIKE '{}%' THEN price ELSE -price END)"
    right = proof.client.get("/books", params={"sort": guess.format("s")}).json()
    wrong = proof.client.get("/books", params={"sort": guess.format("x")}).json()
    assert right == ["Emma", "Dune"]
    assert wrong == ["Dune", "Emma"]
