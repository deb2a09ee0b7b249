"""Another system is waited for while a database transaction holds locks.

A row that was written or locked stays locked until the commit. When a request to another host, a mail or a message to the broker
stands between the write and the commit, everybody who wants the row waits for that system too, and the connection is missing in the
pool meanwhile. A slow partner then stops the own service, although nothing is wrong with the database.

Known limits: a transaction that has only read holds a connection but no locks, and is left alone. Where a row is locked on
purpose and nothing is written before the call, the finding is tentative.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.transaction_meetings import OpenTransaction, open_transactions
from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.database import DatabaseCall
from fastapi_architect.concepts.filesystem import ObjectStorageCall
from fastapi_architect.concepts.messaging import EmailSend
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Proof,
    Rule,
    Severity,
    first_route,
    routes_of,
)

rule = Rule(
    __name__,
    "Another system is waited for inside a database transaction",
    severity=Severity.IMPORTANT,
    cwe=667,
    references=(
        "https://www.postgresql.org/docs/current/explicit-locking.html",
        "https://microservices.io/patterns/data/transactional-outbox.html",
    ),
    requires=("sqlalchemy", "httpx"),
)


@rule.check(per=AppGraph)
def waits_with_locks(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    seen: set[int] = set()
    for each in open_transactions(graph):
        meeting = each.meeting
        if not meeting.sent or meeting.event.act.kind == "later" or id(meeting.event.site.node) in seen:
            continue
        seen.add(id(meeting.event.site.node))
        yield _finding(each, graph)


def _finding(each: OpenTransaction, graph: AppGraph) -> Finding:
    meeting = each.meeting
    event, act = meeting.event, meeting.write.trace.act
    call = written(graph, event.site.scope, event.site.node)
    write = written(graph, act.site.scope, act.site.node)
    what = "locked" if act.kind == "lock" else "written"
    return rule.at(
        event.site,
        f"`{_short(call)}` {_waits(each)} while `{_short(write)}` is {what} and not committed ({each.end}).",
        "Commit what is done, then call; or call first and write the answer in a short transaction:\n```python\n"
        f"answer = {'await ' if event.site.awaited else ''}{call}\n"
        f"# then, in one short transaction:\n{written(graph, act.site.scope, act.site.node)}\n```",
        reasoning="Locks are held until the commit, and so is the connection; both last as long as the other system takes.",
        exploit=f"The other system answers slowly: every request that needs the same rows waits behind "
        f"{first_route(each.operations, meeting.function.name)}, until the pool has no connection left.",
        confidence=_confidence(each),
        trace=tuple(each.steps()),
        routes=routes_of(each.operations),
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _waits(each: OpenTransaction) -> str:
    act = each.meeting.event.act
    if act.kind == "enqueue":
        return "waits for the broker"
    if isinstance(act.concept, EmailSend):
        return "sends a mail"
    if isinstance(act.concept, ObjectStorageCall):
        return "waits for the object store"
    if isinstance(act.concept, BlockingCall):
        return "sleeps"
    return "waits for another host"


def _confidence(each: OpenTransaction) -> Confidence:
    meeting = each.meeting
    act = meeting.write.trace.act
    both = meeting.commit is not None and meeting.commit.site.node is meeting.event.site.node
    known = meeting.commit is not None or meeting.write.until is not None or each.committer is not None
    if both or not known or act.kind == "lock" or not isinstance(act.concept, DatabaseCall):
        return Confidence.TENTATIVE
    direct = not meeting.event.hops and not meeting.write.trace.hops
    return Confidence.CERTAIN if direct and act.sure and meeting.event.act.sure else Confidence.FIRM


_EXAMPLE = """
    import httpx
    from fastapi import FastAPI
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]


    Base.metadata.create_all(engine)

"""

rule.bad = (
    _EXAMPLE
    + """
    @app.post("/orders/{title}", status_code=201)
    def place_order(title: str) -> None:
        with Session(engine) as session:
            order = Order(title=title)
            session.add(order)
            session.flush()
            httpx.post("https://warehouse.example/orders", json={"order": order.id})  # finding: external-io-inside-transaction
            session.commit()
"""
)

rule.good = (
    _EXAMPLE
    + """
    @app.post("/orders/{title}", status_code=201)
    def place_order(title: str) -> None:
        with Session(engine) as session:
            order = Order(title=title)
            session.add(order)
            session.commit()
            order_id = order.id
        httpx.post("https://warehouse.example/orders", json={"order": order_id})
"""
)


@rule.symptom
def the_warehouse_is_called_with_the_row_locked(proof: Proof) -> None:
    """When the warehouse is called, the order is written and not committed."""
    commits: list[int] = []
    main = proof.module()
    post = main.httpx.post

    def called(*args: object, **options: object) -> object:
        commits.append(proof.commits)
        return post(*args, **options)

    main.httpx.post = called
    proof.answer("https://warehouse.example/", json={})
    before = proof.commits
    assert proof.client.post("/orders/Emma").status_code == 201
    assert commits == [before]
