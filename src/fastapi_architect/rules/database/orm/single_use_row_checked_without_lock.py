"""A row that may be used once is checked, and marked as used later; nothing holds it in between.

`if coupon.used: raise ...` keeps a second order from using a coupon as long as orders come one after the other. Two at once both
read `used == False`, both pass, and both get the discount: READ COMMITTED, the default of PostgreSQL, lets both read before either
writes. A lock on the row, or an UPDATE that has the check in its condition and whose `rowcount` is looked at, lets one of them in.

Reported where the same request adds a row of another table, so that passing twice gives something twice. A unique constraint on
that other table refuses the second, and silences the rule. Setting the same column twice to the same value, and nothing else, is
left alone.

Known limits: the check and the assignment are looked for in one function; a lock anywhere around, of whatever kind, silences the
rule. What only administrators do is minor: two at once are rare. Entries of logs and notifications are not counted as something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.added_rows import AddedRow, added_rows, is_made
from fastapi_architect.analyses.guarded_rows import is_guarded
from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.refused_twice import OneUse, one_uses, run_together
from fastapi_architect.analyses.request_transactions import request_end
from fastapi_architect.analyses.search_indexes import table_of
from fastapi_architect.analyses.seldom_operations import is_for_administrators
from fastapi_architect.analyses.session_acts import session_acts
from fastapi_architect.analyses.session_owners import may_commit
from fastapi_architect.appgraph.models import Model
from fastapi_architect.concepts.database import Commit, SessionAdd
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    first_route,
    ir,
    lazy_pattern,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A row that may be used once is checked without a lock",
    severity=Severity.IMPORTANT,
    cwe=367,
    cvss="AV:N/AC:H/PR:L/UI:N/S:U/C:N/I:H/A:N",
    references=(
        "https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED",
        "https://docs.sqlalchemy.org/en/20/core/selectable.html#sqlalchemy.sql.expression.GenerativeSelect.with_for_update",
    ),
    requires=("sqlalchemy",),
)

#: Rows that tell what happened: one more of them gives nobody anything.
_RECORDS = lazy_pattern(
    r"log|audit|histor|event|activit|notif|message|comment|trace|metric|stat(us|istic)|snapshot|version",
    re.IGNORECASE,
)


@rule.check(per=AppGraph)
def checked_then_marked(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for function in session_acts(graph).members.values():
        if function.module.kind != "source":
            continue
        for use in one_uses(function, graph):
            gained = _gained(use, function, graph)
            if gained is None or _is_claimed(function) or is_guarded(graph, use.model, function):
                continue
            operations = tuple(o for o in graph.entries(function) if o.is_write and _is_saved(o, graph))
            if operations:
                found = _finding(use, gained, function, operations, graph)
                few = all(is_for_administrators(operation, graph) for operation in operations)
                yield replace(found, severity=Severity.MINOR) if few else found
                break


def _is_saved(operation: PathOperation, graph: AppGraph) -> bool:
    committer = request_end(graph, operation).committer
    return committer is not None or any(may_commit(graph, each) for each in operation.functions)


def _gained(use: OneUse, function: Function, graph: AppGraph) -> AddedRow | None:
    """A row of another table that is added behind the check, and that nothing keeps from being added twice."""
    for added in added_rows(function, graph):
        if (
            added.model is not use.model
            and added.site.node.span > use.check.node.span
            and run_together(use.mark, added.site)
            and not _RECORDS.search(added.model.cls.name)
            and is_made(added, graph)
            and not _is_unique(added.model, graph)
        ):
            return added
    return None


def _is_unique(model: Model, graph: AppGraph) -> bool:
    """A second one may be refused: by a unique constraint or index, or by a primary key that means something."""
    table = table_of(model, graph)
    keys = [column for column in table.columns if column.primary_key]
    return (
        bool(table.uniques)
        or any(index.unique for index in table.indexes)
        or any(column.unique or (column.primary_key and column.foreign_keys) for column in table.columns)
        or len(keys) != 1
    )


def _is_claimed(function: Function) -> bool:
    """Somebody looks at how many rows an UPDATE changed, or waits for a constraint to refuse."""
    return any(site.node.attr == "rowcount" for site in function.facts.sites(ir.Attribute)) or any(
        isinstance(site.node.type, ir.Name) and site.node.type.id in ("IntegrityError", "StaleDataError")
        for site in function.facts.sites(ir.Handler)
    )


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────


def _finding(
    use: OneUse,
    gained: AddedRow,
    function: Function,
    operations: tuple[PathOperation, ...],
    graph: AppGraph,
) -> Finding:
    row, column, model = written(graph, function, use.row), use.column, use.model.cls.name
    thing = gained.model.cls.name
    return rule.at(
        function.location(use.check.node.test),
        f"`{function.name}` refuses by `{row}.{column}` and sets it later; two requests at once both pass, and there are two rows of "
        f"`{thing}` for one `{model}`.",
        _suggestion(use, row, function, graph),
        reasoning="Both transactions read the row before either of them writes it, which READ COMMITTED allows. "
        f"Nothing locks the row, `{model}` has no version column, and nothing makes `{thing}` unique.",
        exploit=f"Somebody sends {first_route(operations, function.name)} twice at once for one `{model}`: both requests read the old "
        f"`{column}`, both pass the check, and both add a row of `{thing}`.",
        confidence=Confidence.FIRM,
        trace=steps(
            (function, f"{operations[0].names[0]} gets to `{function.name}`"),
            (use.check, "the check that both pass"),
            (gained.site, f"adds a row of `{thing}`"),
            (use.mark, "marked only here"),
        ),
        routes=routes_of(operations),
        context=Context(hard=True),
    )


def _suggestion(use: OneUse, row: str, function: Function, graph: AppGraph) -> str:
    session, wait = _session(function, graph)
    check = f"if {written(graph, function, use.check.node.test)}:"
    return (
        "Read the row anew under a lock before it is checked, and commit once, behind the assignment, because a commit lets the "
        f"lock go:\n```python\n{wait}{session}.refresh({row}, with_for_update=True)\n{check}\n    ...\n```\n"
        f"SQLite has no such lock; there, an `update({use.model.cls.name})` with the check in its `where` and a look at `rowcount` "
        "does the same."
    )


def _session(function: Function, graph: AppGraph) -> tuple[str, str]:
    """What the session is called there, and whether it is waited for."""
    for kind in (Commit, SessionAdd):
        for call in graph.within(kind, function):
            if call.session is not None:
                is_async = any(commit.site.awaited for commit in graph.within(Commit, function))
                return written(graph, function, call.session), "await " if is_async else ""
    return "session", ""


_EXAMPLE = """
    from fastapi import FastAPI, HTTPException
    from sqlalchemy import create_engine, update
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Coupon(Base):
        __tablename__ = "coupons"

        id: Mapped[int] = mapped_column(primary_key=True)
        used: Mapped[bool] = mapped_column(default=False)


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        book_id: Mapped[int]
        discount: Mapped[int]


    Base.metadata.create_all(engine)


    @app.post("/coupons", status_code=201)
    def issue() -> int:
        with Session(engine) as session:
            coupon = Coupon()
            session.add(coupon)
            session.commit()
            return coupon.id

"""

rule.bad = (
    _EXAMPLE
    + """
    @app.post("/orders", status_code=201)
    def order(book_id: int, coupon_id: int) -> None:
        with Session(engine) as session:
            coupon = session.get_one(Coupon, coupon_id)
            if coupon.used:  # finding: single-use-row-checked-without-lock
                raise HTTPException(409, "this coupon has been used")
            session.add(Order(book_id=book_id, discount=10))
            coupon.used = True
            session.commit()
"""
)

rule.good = (
    _EXAMPLE
    + """
    @app.post("/orders", status_code=201)
    def order(book_id: int, coupon_id: int) -> None:
        with Session(engine) as session:
            free = update(Coupon).where(Coupon.id == coupon_id, Coupon.used.is_(False))
            if session.execute(free.values(used=True)).rowcount == 0:
                raise HTTPException(409, "this coupon has been used")
            session.add(Order(book_id=book_id, discount=10))
            session.commit()
"""
)


@rule.exploit
def one_coupon_for_two_orders(proof: Proof) -> None:
    """Two orders with one coupon arrive at once, and both get its discount."""
    assert proof.client.post("/coupons").status_code == 201
    order = lambda: proof.client.post("/orders?book_id=1&coupon_id=1").status_code  # noqa: E731
    assert proof.race(order, order, meet="SELECT") == [201, 201]
