"""Text from a request is written into an SQL statement.

A statement that is put together with an f-string, `%`, `+`, `.format` or `join` is text: whoever sends the value
also sends part of the statement, and a quote is enough to read or change any table. Bound parameters keep the
two apart. The value is followed from the request through dependencies, services and helpers to the call that
makes or sends the statement; numbers, UUIDs, dates, enumerations, and values checked against a closed list or
a strict pattern are harmless.

Known limits: values that come back from the database or from another service are not followed yet. Names of
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
from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.closed_fields import is_closed
from fastapi_architect.analyses.taint import taint_paths
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.concepts.database import SqlExecution, SqlText
from fastapi_architect.dataflow.access_path import written
from fastapi_architect.dataflow.path import TaintPath
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    Confidence,
    Edit,
    Files,
    Finding,
    Fix,
    Instance,
    Location,
    Proof,
    Rule,
    Scope,
    Severity,
    Step,
    dotted_name,
    ir,
    names_in,
    options,
    routes_of,
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

_PLACES = {"path": "path", "query": "query string", "header": "headers", "cookie": "cookies", "form": "form"}


@rule.check(per=AppGraph)
def request_data_in_a_statement(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    by_statement: dict[tuple[int, str | int], list[TaintPath]] = {}
    for path in taint_paths(graph, "sql"):
        if _is_closed(path, graph):
            continue
        argument = path.sink.argument  # a statement with a name may be run on several branches
        name = argument.id if argument.__class__ is ir.Name else id(path.sink)
        by_statement.setdefault((id(path.sink.scope), name), []).append(path)
    for paths in by_statement.values():
        yield _finding(sorted(paths, key=lambda p: len(p.traces)), graph)


def _finding(paths: list[TaintPath], graph: AppGraph) -> Finding:
    first = paths[0]
    fact = first.sink.fact
    assert isinstance(fact, SqlText | SqlExecution)
    operations = list({id(o): o for p in paths for o in graph.operations_running(p.source.function)}.values())
    routes = routes_of(operations)
    name = written(first.path)
    running = graph.operations_running(first.source.function)
    route = running[0].names[0] if running else first.source.function.name
    values = len({(id(p.source), p.path) for p in paths})
    others = f" (and {values - 1} more of the requests' values)" if values > 1 else ""
    built = written_statement(first.sink.argument, first.sink.scope)
    driver = fact.driver if isinstance(fact, SqlExecution) else "sqlalchemy"
    bound = bound_statement(built, STYLES.get(driver, "named"))
    return rule.at(
        fact,
        f"`{name}` of {route}{others} becomes part of this SQL statement as text.",
        _suggestion(fact, bound, first),
        reasoning=_reasoning(first, route),
        exploit=f"{route} with `' UNION SELECT ... --` for `{first.path[-1].strip('[]')}` answers with rows of any table.",
        confidence=_confidence(first, graph, sure=fact.sure),
        trace=_trace(first, name, route),
        fix=_fix(fact, built, bound),
        routes=routes,
    )


#: Hops up to which a path is one thing that a reader can check; what goes further joins many callers' values.
_FEW_HOPS = 8


def _confidence(path: TaintPath, graph: AppGraph, *, sure: bool) -> Confidence:
    """By what the path is made of.

    Attributes of `self` are followed by class, so values of other instances meet there. What a model's validators refuse
    is not known.
    """
    if (
        any("self." in trace.text for trace in path.traces)
        or _is_extracted(path)
        or _is_validated(path, graph)
        or _is_checked(path, graph)
        or _has_doubled_quotes(path)
    ):
        return Confidence.TENTATIVE
    return Confidence.CERTAIN if sure and len(path.traces) <= _FEW_HOPS else Confidence.FIRM


def _is_extracted(path: TaintPath) -> bool:
    """A regular expression's group: what the pattern lets through is not known here."""
    return any(part.strip(".[]") in ("group", "groups", "groupdict") for part in path.path[1:])


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


def _is_validated(path: TaintPath, graph: AppGraph) -> bool:
    """A validator of the model sees the field that the value comes from."""
    schemas = [schema_of(cls, graph) for cls in _models(path, graph)]
    return any(
        schema.validators_of(field) for schema in schemas if schema is not None for field in _fields(path)
    )


def _is_closed(path: TaintPath, graph: AppGraph) -> bool:
    """A validator of the model lets only values of a list in the code through."""
    models = _models(path, graph)
    return bool(models) and any(
        all(is_closed(cls, field, graph) for cls in models) for field in _fields(path)
    )


def _fields(path: TaintPath) -> list[str]:
    return [part.strip("[].") for part in path.path[1:2]]


def _models(path: TaintPath, graph: AppGraph) -> list[Class]:
    """Classes of the parameter that the value comes from."""
    fact = path.source.fact
    if not isinstance(fact, Parameter):
        return []
    types = [fact.type]
    received = path.source.function.parameter(path.path[0])
    if received is not None:  # `params: ListParams = Depends()`
        types.append(graph.program.inference.parameter_type(received, path.source.function))
    found = [o.cls for t in types for o in options(t) if isinstance(o, Instance)]
    return list(dict.fromkeys(cls for cls in found if isinstance(cls, Class)))


def _is_checked(path: TaintPath, graph: AppGraph) -> bool:
    """On the way the value lies in a model with validators, or somebody looked it up and refused what is unknown."""
    calls = [
        (t, t.node) for t in path.traces if t.kind in ("passed", "returned") and t.node.__class__ is ir.Call
    ]
    names = {
        path.path[0],
        *(t.detail for t in path.traces),
        *(t.name for t in path.traces if t.kind == "assigned"),
    }
    for trace, call in calls:
        if _is_looked_up(call, trace.scope, names):
            return True
        sites = (s for s in trace.scope.facts.calls if s.node is call and trace.kind == "returned")
        owners = [target.owner for site in sites for target in graph.program.calls.targets(site)]
        schemas = [schema_of(owner, graph) for owner in owners if owner is not None]
        if any(schema is not None and schema.validators for schema in schemas):
            return True
    return False


def _is_looked_up(call: Any, scope: Scope, names: set[str]) -> bool:
    """`row = fetch(name)` and `if not row: raise`, before the call that uses `name`: only known names get there."""
    used = {
        name for given in (*call.args, *(k.value for k in call.keywords)) for name in names_in(given)
    } & names
    for site in scope.facts.sites(ir.If):
        test = site.node.test
        if test.__class__ is not ir.UnaryOp or test.op != "not" or test.operand.__class__ is not ir.Name:
            continue
        if site.node.span > call.span or not site.node.body or site.node.body[0].__class__ is not ir.Raise:
            continue
        for binding in scope.facts.bindings.get(test.operand.id, ()):
            value = getattr(binding, "value", None)
            if used & set(names_in(value)) and any(each.__class__ is ir.Call for each in walk(value)):
                return True
    return False


def _reasoning(path: TaintPath, route: str) -> str:
    hops = [trace.name for trace in path.traces if trace.kind == "passed"]
    through = f" through {', '.join(f'`{hop}`' for hop in hops)}" if hops else ""
    return (
        f"`{written(path.path)}` is whatever the client of {route} sends. It reaches the statement{through} with no "
        "check against a closed list on the way, and the database reads it as SQL, not as a value."
    )


def _trace(path: TaintPath, name: str, route: str) -> tuple[Step, ...]:
    fact = path.source.fact
    if isinstance(fact, Parameter):
        place = _PLACES.get(fact.kind, "body" if fact.is_input else "request")
        begin = Step(fact.location, f"`{name}` comes from the {place} of {route}")
    else:
        begin = Step(path.source.function.location(), f"`{name}` comes from the request to {route}")
    sink = path.sink
    return (begin, *path.steps(), Step(sink.scope.location(sink.node), "the statement is made of it"))


def _suggestion(fact: SqlText | SqlExecution, bound: BoundStatement | None, path: TaintPath) -> str:
    if bound is not None:
        return f"Bind the value:\n```python\n{_bound_call(fact, bound)}\n```"
    name = path.path[-1].strip("[]")
    column = name if name.isidentifier() else "value"
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
