"""Text from a request is written into an SQL statement.

A statement that is put together with an f-string, `%`, `+`, `.format` or `join` is text: whoever sends the value
also sends part of the statement, and a quote is enough to read or change any table. Bound parameters keep the
two apart. The value is followed from the request through dependencies, services and helpers to the call that
makes or sends the statement; numbers, UUIDs, dates, enumerations, and values checked against a closed list or
a strict pattern are harmless. What another service or a language model answers counts as well, one step less sure.

Known limits: values that come back from the database are not followed yet. Names of
columns and tables in `order_by` and the like belong to a rule of their own. A value whose quotes are doubled, between single
quotes, is tentative: it holds as long as nobody forgets it and the database takes backslashes literally.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.analyses.bound_parameters import (
    STYLES,
    BoundStatement,
    bound_statement,
    written_statement,
)
from fastapi_architect.analyses.request_flows import Flow, flows_to
from fastapi_architect.concepts.database import SqlExecution, SqlText
from fastapi_architect.dataflow.path import TaintPath
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Edit,
    Files,
    Finding,
    Fix,
    Location,
    Proof,
    Rule,
    Scope,
    Severity,
    dotted_name,
    ir,
    walk,
)

rule = Rule(
    __name__,
    "Request data is written into an SQL statement",
    severity=Severity.CRITICAL,
    cwe=89,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/SQL_Injection_Prevention_Cheat_Sheet.html",
        "https://docs.sqlalchemy.org/en/20/core/sqlelement.html#sqlalchemy.sql.expression.text",
    ),
    requires=("sqlalchemy",),
)


@rule.check(per=AppGraph)
def request_data_in_a_statement(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for flow in flows_to(graph, "sql"):
        yield _finding(flow)


def _finding(flow: Flow) -> Finding:
    fact = flow.fact
    assert isinstance(fact, SqlText | SqlExecution)
    built = written_statement(flow.sink.argument, flow.sink.scope)
    driver = fact.driver if isinstance(fact, SqlExecution) else "sqlalchemy"
    bound = bound_statement(built, STYLES.get(driver, "named"))
    return rule.at(
        fact,
        f"`{flow.name}` of {flow.carrier}{flow.others} becomes part of this SQL statement as text.",
        _suggestion(fact, bound, flow),
        reasoning=(
            f"`{flow.name}` is {flow.sent}. It reaches the statement{flow.through} with no "
            "check against a closed list on the way, and the database reads it as SQL, not as a value."
        ),
        exploit=f"{flow.attacker} with `' UNION SELECT ... --` for `{flow.field}` answers with rows of any table.",
        confidence=Confidence.TENTATIVE if _has_doubled_quotes(flow.path) else flow.confidence,
        trace=flow.trace("the statement is made of it"),
        fix=_fix(fact, built, bound),
        routes=flow.routes,
    )


def _has_doubled_quotes(path: TaintPath) -> bool:
    """`value.replace("'", "''")` on the way, and the statement puts something between single quotes."""
    statement = written_statement(path.sink.argument, path.sink.scope)
    parts = statement.values if isinstance(statement, ir.JoinedStr) else ()
    quoted = any(isinstance(p, ir.Constant) and str(p.value).endswith("'") for p in parts)
    return quoted and any(
        isinstance(node, ir.Call) and _doubles_quotes(node)
        for root in (statement, *(_value_of(trace.node) for trace in path.traces))
        for node in walk(root)
    )


def _value_of(node: Any) -> Any:
    """The call, or what the statement assigns."""
    return node.value if isinstance(node, ir.Assign) else node


def _doubles_quotes(call: ir.Call) -> bool:
    given = [a.value for a in call.args if isinstance(a, ir.Constant)]
    return isinstance(call.func, ir.Attribute) and call.func.attr == "replace" and given == ["'", "''"]


def _suggestion(fact: SqlText | SqlExecution, bound: BoundStatement | None, flow: Flow) -> str:
    if bound is not None:
        return f"Bind the value:\n```python\n{_bound_call(fact, bound)}\n```"
    column = flow.field if flow.field.isidentifier() else "value"
    text = f"SELECT ... WHERE {column} = :{column}"
    return (
        "Keep the statement constant and bind the value; where it names a column or table, look it up in a dict of "
        f'those you allow:\n```python\nstatement = text("{text}").bindparams({column}={column})\n```'
    )


def _bound_call(fact: SqlText | SqlExecution, bound: BoundStatement) -> str:
    func = dotted_name(fact.node.func)
    if isinstance(fact, SqlText):
        return f"{func or 'text'}({bound.literal}).bindparams({bound.keywords})"
    awaited = "await " if fact.site.awaited else ""
    return f"{awaited}{func or 'connection.execute'}({bound.literal}, {_given(fact, bound)})"


def _given(fact: SqlExecution, bound: BoundStatement) -> str:
    if fact.driver == "asyncpg":
        return ", ".join(code for _, code in bound.values)
    return bound.mapping


def _fix(fact: SqlText | SqlExecution, built: ir.Expr, bound: BoundStatement | None) -> Fix | None:
    """Edits where the statement is an f-string in the same body and nothing is bound yet."""
    if bound is None or built.__class__ is not ir.JoinedStr:
        return None
    scope = fact.scope
    replaced = Edit(scope.location(built), bound.literal)
    title = "Bind " + ", ".join(f"`{code}`" for _, code in bound.values) + " as a parameter"
    if isinstance(fact, SqlText):
        behind = Edit(_end_of(scope, fact.node), f".bindparams({bound.keywords})")
        return Fix(title, (replaced, behind))
    if len(fact.node.args) != 1 or fact.node.keywords or fact.driver == "dbapi":
        return None
    if fact.node.args[0] is built:
        return Fix(title, (Edit(scope.location(built), f"{bound.literal}, {_given(fact, bound)}"),))
    behind = Edit(_end_of(scope, fact.node.args[0]), f", {_given(fact, bound)}")
    return Fix(title, (replaced, behind))


def _end_of(scope: Scope, node: ir.Node) -> Location:
    """The empty stretch behind a node."""
    place = scope.location(node)
    return Location(place.path, place.end_line, place.end_column, place.end_line, place.end_column)


_SHOP = """
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE books (title TEXT)"))
        connection.execute(text("CREATE TABLE customers (email TEXT)"))
        connection.execute(text("INSERT INTO books VALUES ('Dune')"))
        connection.execute(text("INSERT INTO customers VALUES ('ada@example.org')"))
"""

_MAIN = """
    from fastapi import FastAPI

    from catalogue import find_titles

    app = FastAPI()

    @app.get("/books")
    def search(title: str) -> list[str]:
        return find_titles(title)
"""

rule.bad = Files(
    {
        "main.py": _MAIN,
        "shop.py": _SHOP,
        "catalogue.py": """
        from shop import engine
        from sqlalchemy import text

        def find_titles(title: str) -> list[str]:
            statement = text(f"SELECT title FROM books WHERE title = '{title}'")  # finding: sql-injection-raw-statement
            with engine.connect() as connection:
                return list(connection.scalars(statement))
    """,
    }
)

rule.good = Files(
    {
        "main.py": _MAIN,
        "shop.py": _SHOP,
        "catalogue.py": """
        from shop import engine
        from sqlalchemy import text

        def find_titles(title: str) -> list[str]:
            statement = text("SELECT title FROM books WHERE title = :title")
            with engine.connect() as connection:
                return list(connection.scalars(statement, {"title": title}))
    """,
    }
)


@rule.exploit
def a_search_reads_the_customers(proof: Proof) -> None:
    """A title that ends the quote and adds `UNION SELECT` is answered with the addresses of all customers."""
    assert proof.client.get("/books", params={"title": "Dune"}).json() == ["Dune"]
    answer = proof.client.get("/books", params={"title": "' UNION SELECT email FROM customers --"})
    assert "ada@example.org" in answer.text
