"""A relationship is read of every row in a loop, and each reading is a query.

A relationship is loaded when it is read. In a loop over rows that is once for each of them: a page of 100 orders, whose
items are added up, takes one query for the orders and a hundred for the items. Nothing in the loop looks like a query,
with ten rows in the test nobody notices, and each round trip waits for the one before. `selectinload` fetches all of them
in one more query.

The loop and the reading need not stand together: a helper, a property of the model or `OrderOut.model_validate(order)`
reads for the loop that calls it.

Known limits: rows are followed from their query through variables, parameters, services and repositories, and where that is
not possible nothing is said. Where only administrators ask, it is minor. With asyncio the same reading fails instead;
another rule says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.lazy_rounds import LazyRound, lazy_rounds
from fastapi_architect.analyses.query_counts import page_of, per_row
from fastapi_architect.analyses.row_origins import operations_with
from fastapi_architect.analyses.run_by_hand import is_run_by_hand
from fastapi_architect.analyses.seldom_operations import is_for_administrators
from fastapi_architect.analyses.served_modules import is_served
from fastapi_architect.analyses.small_tables import stays_small
from fastapi_architect.findings.finding import Step
from fastapi_architect.program.facts import runs_as_script
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Location,
    Proof,
    Rule,
    Severity,
    Site,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A loop queries once for each row, by reading a lazy relationship",
    severity=Severity.IMPORTANT,
    cwe=1073,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html#selectin-eager-loading",
        "https://docs.sqlalchemy.org/en/20/glossary.html#term-N-plus-one-problem",
    ),
    requires=("sqlalchemy",),
)


@rule.check(per=AppGraph)
def lazy_attribute_in_loop(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    grouped: dict[tuple[int, int], list[LazyRound]] = {}
    for each in lazy_rounds(graph):
        if _counts(each, graph):
            # What a helper reads is told once, whoever calls it; what a loop reads, once for the loop.
            key = (id(each.read.function), 0 if each.round.hops else id(each.round.loop))
            grouped.setdefault(key, []).append(each)
    for those in grouped.values():
        yield _finding(those, graph)


def _counts(each: LazyRound, graph: AppGraph) -> bool:
    scope = each.round.scope
    if scope.module.kind != "source" or is_run_by_hand(scope):
        return False
    return is_served(scope, graph) and not runs_as_script(each.round.inner)


def _finding(those: list[LazyRound], graph: AppGraph) -> Finding:
    first = next((each for each in those if each.sure), those[0])
    read, scope = first.read, first.round.scope
    entries = operations_with(graph, scope, first.origin)
    names = list(dict.fromkeys((each.read.model.name, *each.read.path) for each in those))
    factor = len(names)
    rows = page_of(entries, first.origin.loaded.limit)
    whose = f" for `{routes_of(entries)[0]}`" if entries else ""
    shown = ", ".join(f"`{'.'.join(name)}`" for name in names[:3]) + (" ..." if factor > 3 else "")
    reader = (
        f"`{read.by_schema}` reads {shown}"
        if read.by_schema
        else f"{shown} {'is' if factor == 1 else 'are'} read"
    )
    total = 1 + factor * rows.number
    found = rule.at(
        read.site,
        f"`{scope.name}` runs {per_row(factor)} queries{whose}: {reader} once for each `{first.round.name}`, "
        f"{total} queries with {rows.text}.",
        _suggestion(those),
        reasoning=f"The relationship is loaded lazily (`lazy={read.relationship.lazy!r}`), and no option of the query that "
        "the rows come from names it.",
        exploit=f"With {rows.text}, `{scope.name}` sends {total} statements one after the other; "
        f"{factor * rows.number} of them could be {factor}.",
        confidence=Confidence.FIRM if first.sure and entries else Confidence.TENTATIVE,
        trace=_trace(first),
        routes=routes_of(entries),
        impact=float(factor * rows.number),
    )
    for_few = bool(entries) and all(is_for_administrators(each, graph) for each in entries)
    return replace(found, severity=Severity.MINOR) if for_few or _is_few(those) else found


def _is_few(those: list[LazyRound]) -> bool:
    """Each row leads to one of a few objects, and an object is loaded once: roles, currencies, categories."""
    return all(
        not each.read.relationship.uselist and stays_small(each.read.relationship.target_name)
        for each in those
    )


def _suggestion(those: list[LazyRound]) -> str:
    options = []
    for each in those[:4]:
        chain, model = "", each.read.model.name
        for name in each.read.path[:1]:
            chain = f"selectinload({model}.{name})"
        options.append(chain)
    first = those[0]
    target = first.read.model.name
    below = first.origin.relationship if first.origin.kind == "relationship" else None
    if below is not None:
        target = below.owner.name
        options = [f"selectinload({target}.{below.attribute}).{each}" for each in dict.fromkeys(options)]
    given = ", ".join(dict.fromkeys(options))
    return (
        "Load it together with the rows, where their statement is made, with one more query for all of them:\n```python\n"
        f"statement = select({target}).options({given})\n```"
    )


def _trace(first: LazyRound) -> tuple[Step, ...]:
    pairs: list[tuple[Site | Location, str]] = []
    if first.origin.site is not None:
        pairs.append((first.origin.site, "the rows are loaded here"))
    pairs.append((first.round.site, f"each of them is `{first.round.name}`"))
    pairs += [(hop, "and is handed on here") for hop in first.round.hops]
    pairs.append((first.read.site, f"`{first.read.path[-1]}` is loaded here"))
    pairs.append((first.read.relationship.location, "as the relationship is loaded when it is read"))
    return steps(*pairs)


rule.bad = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    class Base(DeclarativeBase):
        pass


    class Item(Base):
        __tablename__ = "items"

        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
        quantity: Mapped[int]


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        items: Mapped[list[Item]] = relationship()


    Base.metadata.create_all(engine)


    @app.post("/orders")
    def add_order(quantity: int, session: SessionDep) -> None:
        session.add(Order(items=[Item(quantity=quantity)]))
        session.commit()


    @app.get("/orders")
    def list_orders(session: SessionDep, limit: int = 50) -> dict[int, int]:
        copies = {}
        for order in session.scalars(select(Order).limit(limit)):
            copies[order.id] = sum(item.quantity for item in order.items)  # finding: n-plus-one-lazy-attribute-in-loop
        return copies
"""

rule.good = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    class Base(DeclarativeBase):
        pass


    class Item(Base):
        __tablename__ = "items"

        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
        quantity: Mapped[int]


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        items: Mapped[list[Item]] = relationship()


    Base.metadata.create_all(engine)


    @app.post("/orders")
    def add_order(quantity: int, session: SessionDep) -> None:
        session.add(Order(items=[Item(quantity=quantity)]))
        session.commit()


    @app.get("/orders")
    def list_orders(session: SessionDep, limit: int = 50) -> dict[int, int]:
        copies = {}
        for order in session.scalars(select(Order).options(selectinload(Order.items)).limit(limit)):
            copies[order.id] = sum(item.quantity for item in order.items)
        return copies
"""


@rule.symptom
def five_orders_take_six_queries(proof: Proof) -> None:
    """Five orders are added up with one query for the orders and one for the items of each."""
    for quantity in range(1, 6):
        proof.client.post("/orders", params={"quantity": quantity})
    with proof.count_statements() as counted:
        assert sum(proof.client.get("/orders").json().values()) == 15
    assert len([s for s in counted.statements if "SELECT" in s]) == 6
