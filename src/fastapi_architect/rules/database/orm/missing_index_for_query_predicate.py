"""A request searches a growing table by a column that no index begins with.

The database reads every row of the table for each such request. That is quick with the hundred rows of development and
takes seconds with the millions of production, on every request at once.

Known limits: sizes of tables are not known, so tables that look like lookups or settings are left out; so are columns
with few values, conditions below an `or`, and statements with conditions that are not understood. Where the table does not
grow, all data lies in a file of SQLite, or only administrators and whoever edits a type or a setting get there, it is minor.
Where neither revisions of Alembic nor `create_all` make the tables, they are made elsewhere: it is tentative.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.query_predicates import Predicate, Statement, statements
from fastapi_architect.analyses.search_indexes import is_known, leads, table_of
from fastapi_architect.analyses.seldom_operations import is_for_administrators
from fastapi_architect.analyses.small_tables import is_list_of_choices, stays_small, tends_to_stay_small
from fastapi_architect.analyses.table_growth import stopped_growing
from fastapi_architect.analyses.table_makers import makes_its_tables
from fastapi_architect.appgraph.models import Model
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    PathOperation,
    Proof,
    Rule,
    Severity,
    lazy_pattern,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A request searches by a column without an index",
    severity=Severity.IMPORTANT,
    cwe=1049,
    references=(
        "https://www.postgresql.org/docs/current/indexes-intro.html",
        "https://docs.sqlalchemy.org/en/20/core/constraints.html#schema-indexes",
    ),
    requires=("sqlalchemy",),
)

_EQUAL = ("==", "in")
_RANGE = ("<", "<=", ">", ">=", "between", "startswith")
#: Columns of few values: an index on them alone saves little.
_FEW = lazy_pattern(
    r"^(is|has|was|can)_|_(status|state|type|kind|flag|role|level)$|^(status|state|type|kind|role|level|active|"
    r"enabled|disabled|delete|deleted|removed|archived|hidden|visible|locale|language|lang|country|currency|gender|priority|category|source|provider|scope|env)$"
)

#: Columns that name whose a row is.
_OF_A_CUSTOMER = lazy_pattern(
    r"(^|_)(tenant|org|organi[sz]ation|workspace|project|account|client|company)_id$"
)
#: The address of a database in a file, not in memory.
_IN_A_FILE = lazy_pattern(r"///(?!:memory:)")
#: What is selected anew for each reader has no index of its own.
_VIEW = lazy_pattern(r"^(mv|vw?)_|_view$")
#: Columns that say since when a row is there.
_MADE_AT = lazy_pattern(r"^(created?|inserted|added|joined|registered)(_|$)|^date_(created|joined|added)$")


@rule.check(per=AppGraph)
def unindexed_search(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    found: dict[tuple[int, str], list[tuple[Predicate, tuple[PathOperation, ...]]]] = {}
    for statement in statements(graph):
        function = statement.function
        if (
            function is None
            or statement.opaque
            or function.module.kind != "source"
            or _has_index(statement, graph)
        ):
            continue
        predicate = _searched(statement, graph)
        if predicate is None:
            continue
        operations = graph.entries(function)
        if operations:
            found.setdefault((id(predicate.model.cls), predicate.column.name), []).append(
                (predicate, operations)
            )
    for places in found.values():
        asking = [operation for _, running in places for operation in running]
        seldom = all(_is_seldom(operation, graph) for operation in asking)
        finding = _finding(places, graph)
        small = seldom or _is_of_one_machine(graph) or _stays_small(places[0][0].model, graph)
        yield replace(finding, severity=Severity.MINOR) if small else finding


def _is_of_one_machine(graph: AppGraph) -> bool:
    """All the data lies in a file of SQLite: an application of few people, whose tables seldom get large."""
    if graph.dialect != "sqlite":
        return False
    addresses = [each.url.text for each in graph.database.engines if each.site.scope.module.kind == "source"]
    return bool(addresses) and all(_IN_A_FILE.search(text or "///") for text in addresses)


def _is_seldom(operation: PathOperation, graph: AppGraph) -> bool:
    """Administrators ask for it, something is deleted, or one of a few types or settings is edited."""
    if operation.methods == ("DELETE",) or is_for_administrators(operation, graph):
        return True
    edits = set(operation.methods) <= {"PUT", "PATCH"}
    edited = next((part for part in reversed(operation.path.split("/")) if part and "{" not in part), "")
    return edits and stays_small(edited.removesuffix("s"))


def _stays_small(model: Model, graph: AppGraph) -> bool:
    """People make its rows by hand (what happens are its instances, in another table), or their number has stopped growing."""
    instances = f"{model.name}Instance"
    return (
        tends_to_stay_small(model.name)
        or is_list_of_choices(table_of(model, graph))
        or any(each.name == instances for each in graph.models)
        or stopped_growing(model, graph)
    )


def _has_index(statement: Statement, graph: AppGraph) -> bool:
    """Some condition of the statement is answered by an index, so that few rows are left for the others."""
    return any(
        p.operator in (*_EQUAL, *_RANGE)
        and not p.function
        and not p.alternative
        and _leads(p.model, p.column.name, graph)
        for p in statement.predicates
    )


def _leads(model: Model, column: str, graph: AppGraph) -> bool:
    if leads(model, column, graph):
        return True
    return graph.dialect == "mysql" and any(
        key.columns[:1] == (column,) for key in table_of(model, graph).foreign_keys
    )


def _searched(statement: Statement, graph: AppGraph) -> Predicate | None:
    """The condition that an index would serve best."""
    if len({id(p.model.cls) for p in statement.predicates}) != 1 or "join" in statement.kinds:
        return None  # which table the database begins with is not known
    candidates = [
        p
        for p in statement.predicates
        if not (p.function or p.alternative or p.column.primary_key or _few(p) or _reads_most(p))
    ]
    for wanted in (_EQUAL, _RANGE):
        for p in _best_first(candidates):
            if p.operator in wanted and _grows(p.model, graph) and is_known(p.model, graph):
                return p
    return None


def _best_first(candidates: list[Predicate]) -> list[Predicate]:
    """A customer has many rows: an index on any other column of the statement leaves fewer."""
    return sorted(candidates, key=lambda p: bool(_OF_A_CUSTOMER.search(p.column.name)))


def _reads_most(predicate: Predicate) -> bool:
    """All rows made before a moment: nearly all there are, and no index is quicker than the table."""
    return predicate.operator in ("<", "<=") and bool(_MADE_AT.search(predicate.column.name))


def _few(predicate: Predicate) -> bool:
    column = predicate.column
    family = column.type.family if column.type is not None else ""
    return family in ("boolean", "enum", "json", "array", "text") or bool(_FEW.search(column.name))


def _grows(model: Model, graph: AppGraph) -> bool:
    """It looks like a table of events or things, not like a lookup or a view."""
    table = table_of(model, graph)
    dated = any(c.type is not None and c.type.family == "datetime" for c in table.columns)
    return (
        not stays_small(model.name) and not _VIEW.search(table.name) and (dated or bool(table.foreign_keys))
    )


def _finding(places: list[tuple[Predicate, tuple[PathOperation, ...]]], graph: AppGraph) -> Finding:
    predicate, _ = places[0]
    operations = {id(o): o for _, running in places for o in running}
    routes = routes_of(operations.values())
    model, name, table = predicate.model, predicate.column.attribute, predicate.model.table.name
    index = f"ix_{table}_{predicate.column.name}"
    others = f" ({len(places)} queries do)" if len(places) > 1 else ""
    concurrently = ", postgresql_concurrently=True" if graph.dialect == "postgresql" else ""
    create = f'op.create_index("{index}", "{table}", ["{predicate.column.name}"]{concurrently})'
    block = f"with op.get_context().autocommit_block():\n    {create}" if concurrently else create
    return rule.at(
        predicate,
        f"{routes[0]} searches `{table}` by `{name}`{others}, and no index begins with it: each request reads all "
        f"n rows of `{table}` instead of about log n.",
        f"Add `index=True` to `{model.name}.{name}`, and the migration:\n```python\n{block}\n```",
        reasoning="Primary key, unique constraints, indexes of the models and of all migrations were looked at, "
        "composite ones by their first column.",
        exploit=f"With a million rows of `{table}`, the database reads all of them for each `{routes[0]}`.",
        confidence=Confidence.FIRM if makes_its_tables(graph) else Confidence.TENTATIVE,
        trace=steps(
            (predicate.column, f"`{model.name}.{name}` has no index"),
            *((p, f"searched by in {p.scope.name}") for p, _ in places[:6]),
        ),
        routes=routes,
        impact=float(len(routes)),
        symbol=predicate.scope.full_name,
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
        tracking_number: Mapped[str | None]
        placed_at: Mapped[datetime]


    Base.metadata.create_all(engine)


    @app.get("/parcels/{number}")
    def find_parcel(number: str) -> int | None:
        with Session(engine) as session:
            statement = select(Order.id).where(Order.tracking_number == number)  # finding: missing-index-for-query-predicate
            return session.scalar(statement)
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
        tracking_number: Mapped[str | None] = mapped_column(index=True)
        placed_at: Mapped[datetime]


    Base.metadata.create_all(engine)


    @app.get("/parcels/{number}")
    def find_parcel(number: str) -> int | None:
        with Session(engine) as session:
            statement = select(Order.id).where(Order.tracking_number == number)
            return session.scalar(statement)
"""


@rule.symptom
def the_request_scans_the_table(proof: Proof) -> None:
    """The database plans to scan all orders for the statement of one request."""
    from sqlalchemy import text

    proof.client.get("/parcels/RR1")
    sent = next(s for s in proof.statements if "tracking_number = ?" in s)
    with proof.module("main").engine.connect() as connection:
        plan = connection.execute(text("EXPLAIN QUERY PLAN " + sent.replace("?", "'RR1'"))).all()
    assert any("SCAN" in str(row) for row in plan)
