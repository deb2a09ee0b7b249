"""The path names a parent and a child, and the child is loaded by its own identifier alone.

`/orders/{order_id}/items/{item_id}` promises that the item belongs to the order. When access is checked on the order and the item
is loaded by `item_id` only, the caller names an order of their own and an item of somebody else's.

Known limits: the child's column is recognised by its foreign key and the name of the path's parameter; a comparison of that column
anywhere in the functions that run is taken as the check.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.query_predicates import Predicate, Statement, statements_of
from fastapi_architect.analyses.seldom_operations import is_for_administrators
from fastapi_architect.appgraph.tables import Column
from fastapi_architect.program.definitions import Function
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    PathOperation,
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
    "A nested resource is loaded without its parent",
    severity=Severity.IMPORTANT,
    cwe=639,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:L/A:N",
    references=("https://owasp.org/API-Security/editions/2023/en/0xa1-broken-object-level-authorization/",),
    requires=("sqlalchemy",),
)


@rule.check(per=PathOperation)
def child_loaded_by_its_id_alone(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    names = operation.path_names
    if len(names) < 2 or not graph.access(operation).authenticated or operation.handler is None:
        return
    functions = effects(graph).of_operation(operation).functions
    for statement in statements_of(functions, graph):
        if statement.opaque:
            continue
        found = _by_own_id(statement, names[-1])
        parent = _parent_column(found, names[:-1]) if found is not None else None
        if found is None or parent is None:
            continue
        column, name = parent
        named = any(
            p.model is found.model and p.column.attribute == column.attribute for p in statement.predicates
        )
        if not named and not _compared(column, functions):
            finding = _finding(operation, found, column, name)
            # Who administers all parents reaches the child by its own path as well: what remains is a confusing URL.
            yield (
                replace(finding, severity=Severity.MINOR)
                if is_for_administrators(operation, graph)
                else finding
            )


def _by_own_id(statement: Statement, name: str) -> Predicate | None:
    """`Model.id == item_id`, where `item_id` is the path's last parameter."""
    for predicate in statement.predicates:
        is_id = predicate.column.primary_key and predicate.operator == "=="
        if is_id and predicate.value is not None and last_name(predicate.value) == name:
            return predicate
    return None


def _parent_column(child: Predicate, names: tuple[str, ...]) -> tuple[Column, str] | None:
    """The child's foreign key that one of the path's other parameters names."""
    for column in child.model.columns:
        for key in column.foreign_keys:
            table = key.table.rpartition(".")[2]
            for name in names:
                if name == column.attribute or name in (f"{table.removesuffix('s')}_id", f"{table}_id"):
                    return column, name
    return None


def _compared(column: Column, functions: tuple[Function, ...]) -> bool:
    """Some function that runs compares the column with something."""
    for function in functions:
        for site in function.facts.sites(ir.Compare):
            if any(last_name(side) == column.attribute for side in (site.node.left, *site.node.comparators)):
                return True
    return False


def _finding(operation: PathOperation, child: Predicate, column: Column, name: str) -> Finding:
    assert operation.handler is not None
    model = child.model.name
    return rule.at(
        child,
        f"`{operation}` loads `{model}` by its own identifier; `{name}` of the path is never compared with "
        f"`{model}.{column.attribute}`.",
        f"Ask for both:\n```python\nstatement = statement.where({model}.{column.attribute} == {name})\n```",
        reasoning=f"`{operation.handler.name}` takes `{name}` from the caller, and no condition ties the `{model}` that is loaded to it.",
        exploit=f"Name a `{name}` of your own and the identifier of somebody else's `{model}`: `{operation}` answers with it.",
        confidence=Confidence.FIRM,
        trace=steps(
            (operation.handler, f"{operation} names both"),
            (child, f"{model} is found by its identifier alone"),
        ),
        routes=routes_of([operation]),
        context=Context(missing_check=True, writes=operation.is_write),
    )


_START = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)

    class Base(DeclarativeBase): ...

    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
        owner: Mapped[str]

    class Item(Base):
        __tablename__ = "items"
        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
        title: Mapped[str]

    Base.metadata.create_all(engine)
    with Session(engine) as start:
        start.add_all([Order(id=1, owner="alice"), Order(id=2, owner="bob"), Item(id=7, order_id=2, title="diary")])
        start.commit()

    def user(authorization: Annotated[str | None, Header()] = None) -> str:
        if authorization is None:
            raise HTTPException(401)
        return authorization

    app = FastAPI()
"""

rule.bad = (
    _START
    + """
    @app.get("/orders/{order_id}/items/{item_id}")
    def read(order_id: int, item_id: int, name: Annotated[str, Depends(user)]) -> str:
        with Session(engine) as session:
            order = session.get(Order, order_id)
            if order is None or order.owner != name:
                raise HTTPException(404)
            return session.scalars(select(Item).where(Item.id == item_id)).one().title  # finding: nested-resource-parent-mismatch
"""
)

rule.good = (
    _START
    + """
    @app.get("/orders/{order_id}/items/{item_id}")
    def read(order_id: int, item_id: int, name: Annotated[str, Depends(user)]) -> str:
        with Session(engine) as session:
            order = session.get(Order, order_id)
            if order is None or order.owner != name:
                raise HTTPException(404)
            item = session.scalars(select(Item).where(Item.id == item_id, Item.order_id == order_id)).one_or_none()
            if item is None:
                raise HTTPException(404)
            return item.title
"""
)


@rule.exploit
def alice_reads_an_item_of_bobs_order(proof: Proof) -> None:
    """Alice names her own order and the item of another's, and reads it."""
    answer = proof.client.get("/orders/1/items/7", headers={"Authorization": "alice"})
    assert answer.status_code == 200
    assert answer.json() == "diary"
