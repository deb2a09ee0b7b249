"""A duplicate that a client sends is answered with 500.

The table refuses a second row with the same value, and nothing between the insert and the client catches
`IntegrityError`: instead of "409 Conflict" the client gets "Internal Server Error", tries again, and fills the error log.
A SELECT before the insert makes it rarer; of two requests at the same time one still fails.

Known limits: values are followed through the constructor call of the model; foreign keys and checks are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.effects import Effects, effects
from fastapi_architect.analyses.query_predicates import statements
from fastapi_architect.analyses.search_indexes import table_of
from fastapi_architect.appgraph.models import Model
from fastapi_architect.concepts.database import SessionAdd
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Instance,
    PathOperation,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    lazy_pattern,
    names_in,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A duplicate value is answered with an internal server error",
    severity=Severity.IMPORTANT,
    cwe=755,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.10",
        "https://docs.sqlalchemy.org/en/20/core/exceptions.html#sqlalchemy.exc.IntegrityError",
    ),
    requires=("sqlalchemy",),
)

_CAUGHT = frozenset(
    {"IntegrityError", "SQLAlchemyError", "DBAPIError", "DatabaseError", "UniqueViolation", "Exception"}
)
_ASKS = lazy_pattern(r"get|find|fetch|exist|taken|lookup|look_up|search|by_", re.IGNORECASE)
_CONFLICT = ("on_conflict_do_nothing", "on_conflict_do_update", "on_duplicate_key_update", "merge")


@rule.check(per=SessionAdd)
def unhandled_duplicate(add: SessionAdd, graph: AppGraph) -> Iterator[Finding]:
    for model, column, call, function in _insert(add, graph):
        if _globally_handled(graph):
            return
        operations = [o for o in graph.entries(function) if o.is_write and o.handler is not None]
        exposed = [o for o in operations if _is_exposed(effects(graph).of_operation(o))]
        if exposed:
            yield _finding(add, (model, column), (call, function), exposed, graph)


def _is_exposed(done: Effects) -> bool:
    return done.complete and not _handled(done)


def _globally_handled(graph: AppGraph) -> bool:
    """An exception handler or middleware of the project deals with it."""
    sites = [
        *graph.program.call_sites_named("exception_handler"),
        *graph.program.call_sites_named("add_exception_handler"),
    ]
    if any(not _CAUGHT.isdisjoint({last_name(a) for a in site.node.args}) for site in sites):
        return True
    tables = (
        site
        for module in graph.program.mentioning("exception_handlers")
        for site in module.facts.sites(ir.Dict)
    )
    return any(
        not _CAUGHT.isdisjoint({last_name(k) for k in site.node.keys if k is not None}) for site in tables
    )


def _handled(done: Effects) -> bool:
    for function in done.functions:
        if not set(_CONFLICT).isdisjoint(function.node.called):
            return True
        for site in function.facts.sites(ir.Try):
            for handler in site.node.handlers:
                if handler.type is None or not _CAUGHT.isdisjoint(names_in(handler.type)):
                    return True
    return False


def _insert(add: SessionAdd, graph: AppGraph) -> Iterator[tuple[Model, str, ir.Call, Function]]:
    """The model, the unique attribute that the client fills, the constructor's call, and the function."""
    function = add.function
    if not add.sure or add.kind != "add" or add.many or add.instance is None:
        return
    if function is None or function.module.kind != "source":
        return
    for of in options(graph.program.inference.type_of(add.instance, function)):
        model = graph.database.model_of.get(id(of.cls)) if isinstance(of, Instance) else None
        call = _constructor(add.instance, function, model, graph) if model is not None else None
        if model is None or call is None:
            continue
        for column in _unique(model, graph):
            if _from_request(call, column, function):
                yield model, column, call, function
                return


def _constructor(instance: ir.Expr, function: Function, model: Model, graph: AppGraph) -> ir.Call | None:
    expr, _ = graph.program.inference.expand(instance, function)
    if not isinstance(expr, ir.Call):
        return None
    types = options(graph.program.inference.type_of(expr.func, function))
    return expr if any(isinstance(of, ClassRef) and of.cls is model.cls for of in types) else None


def _unique(model: Model, graph: AppGraph) -> list[str]:
    """Attributes that alone have to differ from row to row, keys left out."""
    table = table_of(model, graph)
    single = {next(iter(names)) for names in table.unique_sets() if len(names) == 1}
    return [
        c.attribute for c in model.columns if c.name in single and not c.primary_key and c.default is None
    ]


def _from_request(call: ir.Call, column: str, function: Function) -> bool:
    """The value is an attribute or parameter that the function was given, not something it makes up."""
    parameters = {p.name for p in function.parameters if p.name not in ("self", "cls")}
    for keyword in call.keywords:
        if keyword.arg == column:
            value = keyword.value
            while isinstance(value, ir.Attribute):
                value = value.value
            return isinstance(value, ir.Name) and value.id in parameters
    spread = (k.value for k in call.keywords if k.arg is None)
    return any(
        isinstance(s, ir.Call) and last_name(s.func) in ("model_dump", "dict") and not s.args for s in spread
    )


def _finding(
    add: SessionAdd,
    what: tuple[Model, str],
    made: tuple[ir.Call, Function],
    operations: list[PathOperation],
    graph: AppGraph,
) -> Finding:
    model, column = what
    call, function = made
    routes = routes_of(operations)
    asked = _asked_before(call, column, function)
    looked = asked or _looked_up(model, column, operations, graph)
    session = last_name(add.session) if add.session is not None else "session"
    wait = (
        "await "
        if add.is_async or any(o.handler is not None and o.handler.is_async for o in operations)
        else ""
    )
    first = " A SELECT before it does not help two requests at the same time." if looked else ""
    finding = rule.at(
        add,
        f"A second `{model.name}` with the same `{column}` is refused by the table, and {routes[0]} answers 500.{first}",
        "Answer with 409:\n```python\ntry:\n"
        f"    {wait}{session}.commit()\nexcept IntegrityError as exc:\n    {wait}{session}.rollback()\n"
        f'    raise HTTPException(status_code=409, detail="this {column} is taken") from exc\n```\n'
        "or register one exception handler for `IntegrityError`.",
        reasoning=f"`{column}` is unique, its value comes from the request, and nothing that {routes[0]} runs catches "
        "`IntegrityError`.",
        exploit=f"A client sends `{routes[0]}` twice with the same `{column}`: the second answer is 500.",
        confidence=Confidence.TENTATIVE if asked else Confidence.FIRM,
        trace=steps(
            (function.location(call), f"`{column}` gets the client's value"),
            (model.by_attribute[column], f"`{model.name}.{column}` is unique"),
        ),
        routes=routes,
    )
    return replace(finding, severity=Severity.MINOR) if looked else finding


def _asked_before(call: ir.Call, column: str, function: Function) -> bool:
    """The function looks for the value before it makes the row, and refuses when it is taken."""
    values = {name for k in call.keywords if k.arg == column for name in names_in(k.value)}
    asked = [
        site
        for site in function.facts.calls
        if site.node.span < call.span
        and _ASKS.search(last_name(site.node.func))
        and (column in last_name(site.node.func) or column in {k.arg for k in site.node.keywords})
        and values
        & {n for a in (*site.node.args, *(k.value for k in site.node.keywords)) for n in names_in(a)}
    ]
    return any(
        asked_site.node.span < refused.node.span < call.span and refused.context.inside("if") is not None
        for asked_site in asked
        for kind in (ir.Raise, ir.Return)
        for refused in function.facts.sites(kind)
    )


def _looked_up(model: Model, column: str, operations: list[PathOperation], graph: AppGraph) -> bool:
    """Some query that the operation runs searches by the column."""
    reached = {id(f) for o in operations for f in effects(graph).of_operation(o).functions}
    return any(
        id(s.scope) in reached
        and any(p.model is model and p.column.attribute == column for p in s.predicates)
        for s in statements(graph)
    )


rule.bad = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class User(Base):
        __tablename__ = "users"

        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(unique=True)


    Base.metadata.create_all(engine)


    @app.post("/users", status_code=201)
    def register(email: str) -> None:
        with Session(engine) as session:
            session.add(User(email=email))  # finding: integrity-error-unhandled
            session.commit()
"""

rule.good = """
    from fastapi import FastAPI, HTTPException
    from sqlalchemy import create_engine
    from sqlalchemy.exc import IntegrityError
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class User(Base):
        __tablename__ = "users"

        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(unique=True)


    Base.metadata.create_all(engine)


    @app.post("/users", status_code=201)
    def register(email: str) -> None:
        with Session(engine) as session:
            session.add(User(email=email))
            try:
                session.commit()
            except IntegrityError as exc:
                session.rollback()
                raise HTTPException(409, "this email is taken") from exc
"""


@rule.exploit
def a_duplicate_is_an_internal_error(proof: Proof) -> None:
    """Registering the same address twice is answered with 500."""
    client = proof.client_for(proof.app, raise_server_exceptions=False)
    assert client.post("/users?email=ann@example.org").status_code == 201
    assert client.post("/users?email=ann@example.org").status_code == 500
