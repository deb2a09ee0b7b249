"""A task is sent for a row that is not committed yet.

The message is in the queue at once, and an idle worker takes it within a millisecond. It looks for the row in a transaction of its
own, where the row does not exist before the sender commits: the task fails or does nothing, and nobody sends it again. When the
sender's transaction fails afterwards, the task works on something that never was.

FastAPI's background tasks are the same where a dependency commits behind its `yield`: before FastAPI 0.106 and since 0.118 they
run before that.

Known limits: reported where the message carries something of the row that was written; a message that only says "something
happened" is not. A countdown makes it rarer and is reported all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.request_transactions import commits_after_response
from fastapi_architect.analyses.row_writes import models_of
from fastapi_architect.analyses.session_acts import written_model
from fastapi_architect.analyses.session_owners import is_async_session, is_session_name
from fastapi_architect.analyses.transaction_meetings import OpenTransaction, open_transactions
from fastapi_architect.appgraph.background import EnqueueSite
from fastapi_architect.concepts.database import DatabaseCall, SessionAdd, SessionDelete
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    Site,
    first_route,
    ir,
    last_name,
    names_in,
    routes_of,
    walk,
)

rule = Rule(
    __name__,
    "A task is sent before its row is committed",
    severity=Severity.CRITICAL,
    cwe=362,
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html#database-transactions",
        "https://microservices.io/patterns/data/transactional-outbox.html",
    ),
    requires=("sqlalchemy", "celery"),
)


@rule.check(per=AppGraph)
def sent_too_early(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    seen: set[int] = set()
    for each in open_transactions(graph):
        event = each.meeting.event
        sent = event.act.concept
        if not isinstance(sent, EnqueueSite) or id(event.site.node) in seen:
            continue
        if isinstance(each.meeting.write.trace.act.concept, SessionDelete):
            continue  # a worker needs no row that goes
        if event.act.kind == "later" and not _runs_before_commit(each, graph):
            continue
        what = _carried(each, graph)
        if what:
            seen.add(id(event.site.node))
            yield _finding(each, sent, what, graph)


def _runs_before_commit(each: OpenTransaction, graph: AppGraph) -> bool:
    """A background task: only a dependency that commits behind the response comes after it."""
    if each.committer is None:
        return False
    return any(commits_after_response(graph, operation, each.committer) for operation in each.operations)


# ── does the message carry something of the row ─────────────────────────────────────────────────────────────


def _carried(each: OpenTransaction, graph: AppGraph) -> str:
    """The argument that names the row that was written, as text; "" when none does."""
    meeting = each.meeting
    function, event = meeting.function, meeting.event
    model = written_model(graph, meeting.write.trace.act)
    objects = _objects(meeting.write.trace.site, function, graph)
    keys = _keys(meeting.write.trace.site, objects, function, graph)
    sent = event.act.concept
    given: list[ir.Expr] = [*event.site.node.args, *(k.value for k in event.site.node.keywords)]
    if not event.hops and isinstance(sent, EnqueueSite):
        given = [*sent.args, *sent.keywords.values()]
    for argument in given:
        for part in _parts(argument, function):
            names = set(names_in(part))
            if (
                names & objects
                or last_name(part) in keys
                or (model and model in _models(part, function, graph))
            ):
                return written(graph, function, argument)
    return ""


def _parts(argument: ir.Expr, function: Function) -> Iterator[ir.Expr]:
    """An argument, and what the names in it were assigned from: `order_id` of `order_id = order.id`."""
    yield argument
    for node in walk(argument):
        if isinstance(node, ir.Name) and not is_session_name(node.id):
            for binding in function.facts.bindings.get(node.id, ()):
                if binding.kind == "assign" and isinstance(binding.value, ir.Attribute):
                    yield binding.value


def _models(part: ir.Expr, function: Function, graph: AppGraph) -> set[str]:
    """Models that an expression is, or is an attribute of."""
    found: set[str] = set()
    for node in walk(part):
        if isinstance(node, ir.Name):
            found.update(model.cls.name for model in models_of(node, function, graph))
    return found


def _objects(site: Site, function: Function, graph: AppGraph) -> set[str]:
    """Local names of the object that a write is about."""
    found: set[str] = set()
    statement = site.statement
    if isinstance(site.node, ir.Assign):  # `order.status = "paid"`
        found.update(last_name(t.value) for t in site.node.targets if isinstance(t, ir.Attribute))
    elif isinstance(statement, ir.Assign | ir.AnnAssign):  # `order = repository.create(...)`
        targets = statement.targets if isinstance(statement, ir.Assign) else [statement.target]
        found.update(t.id for t in targets if isinstance(t, ir.Name))
    if isinstance(site.node, ir.Call):
        found.update(a.id for a in site.node.args if isinstance(a, ir.Name) and models_of(a, function, graph))
        call = next((c for c in graph.within(DatabaseCall, function) if c.node is site.node), None)
        if isinstance(call, SessionAdd | SessionDelete) and isinstance(call.instance, ir.Name):
            found.add(call.instance.id)
    return {name for name in found if name and not is_session_name(name)}


def _keys(site: Site, objects: set[str], function: Function, graph: AppGraph) -> set[str]:
    """Local names that say which row it is: `order_id` of `session.get(Order, order_id)`, and of `Order(id=order_id)`."""
    values: list[ir.Expr] = [site.node] if isinstance(site.node, ir.Call) else []
    given = {each.id for value in values for each in walk(value) if isinstance(each, ir.Name)}
    for name in sorted(objects | given):
        values += [b.value for b in function.facts.bindings.get(name, ()) if b.value is not None]
    found: set[str] = set()
    for value in values:
        for node in walk(value):
            if isinstance(node, ir.Compare) and node.ops == ["=="]:
                found.update(each.id for each in (node.left, *node.comparators) if isinstance(each, ir.Name))
            elif isinstance(node, ir.Call):
                found.update(
                    each.id for each in _identifying(node, function, graph) if isinstance(each, ir.Name)
                )
    return {name for name in found if not is_session_name(name)}


def _identifying(call: ir.Call, function: Function, graph: AppGraph) -> list[ir.Expr]:
    """What a call is given that names one row: the key of `get`, the values of `filter_by`, the key of a new object."""
    name = last_name(call.func)
    if name == "get":
        return list(call.args[1:2])
    if name == "filter_by":
        return [keyword.value for keyword in call.keywords]
    keys = {
        c.attribute
        for m in models_of(call.func, function, graph, cls=True)
        for c in m.columns
        if c.primary_key
    }
    return [keyword.value for keyword in call.keywords if keyword.arg in keys]


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────


def _finding(each: OpenTransaction, sent: EnqueueSite, what: str, graph: AppGraph) -> Finding:
    meeting = each.meeting
    function, event = meeting.function, meeting.event
    call = written(graph, event.site.scope, event.site.node)
    task = sent.function.name if sent.function is not None else sent.task_name or "the task"
    who = "the background task runs" if event.act.kind == "later" else "a worker may run it"
    return rule.at(
        event.site,
        f"`{_short(call)}` hands on `{what}` before its row is committed ({each.end}): {who} while the row is not there.",
        "Commit first, then send:\n```python\n" + _suggestion(each, call, graph) + "\n```\n"
        "Where both must happen or neither, write the message to an outbox table in the same transaction.",
        reasoning="The queue is no part of the database's transaction: the message is visible at once, the row only after the commit.",
        exploit=f"A worker is idle when {first_route(each.operations, function.name)} runs: `{task}` finds no row, and "
        "the work is lost.",
        confidence=_confidence(each),
        trace=tuple(each.steps()),
        routes=routes_of(each.operations),
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _confidence(each: OpenTransaction) -> Confidence:
    meeting = each.meeting
    if meeting.commit is not None and meeting.commit.site.node is meeting.event.site.node:
        return Confidence.TENTATIVE  # one call both commits and sends, and some way through it sends first
    known = meeting.commit is not None or meeting.write.until is not None or each.committer is not None
    if not known:
        return Confidence.TENTATIVE
    direct = not meeting.event.hops and not meeting.write.trace.hops and meeting.write.trace.act.sure
    return (
        Confidence.CERTAIN
        if direct and isinstance(meeting.write.trace.act.concept, DatabaseCall)
        else Confidence.FIRM
    )


def _suggestion(each: OpenTransaction, call: str, graph: AppGraph) -> str:
    meeting = each.meeting
    concept = meeting.write.trace.act.concept
    function = meeting.write.trace.act.site.scope
    session = "session"
    awaits = meeting.function.is_async
    if isinstance(concept, DatabaseCall) and isinstance(function, Function):
        session = written(graph, function, concept.session) or session
        awaits = is_async_session(graph, function, concept.session)
    return f"{'await ' if awaits else ''}{session}.commit()\n{'await ' if meeting.event.site.awaited else ''}{call}"


_EXAMPLE = """
    from celery import Celery
    from fastapi import FastAPI
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    worker = Celery("shop", broker="memory://")
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]


    Base.metadata.create_all(engine)


    @worker.task
    def confirm(order_id: int) -> None:
        with Session(engine) as session:
            print("confirmed", session.get(Order, order_id) is not None)

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
            confirm.delay(order.id)  # finding: task-enqueued-before-commit
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
            confirm.delay(order.id)
"""
)


@rule.symptom
def the_message_is_sent_in_an_open_transaction(proof: Proof) -> None:
    """When the message leaves, the order is not committed."""
    committed: list[int] = []
    main = proof.module()
    send = main.confirm.delay

    def sent(order_id: int) -> object:
        committed.append(proof.commits)
        return send(order_id)

    main.confirm.delay = sent
    before = proof.commits
    assert proof.client.post("/orders/Emma").status_code == 201
    assert committed == [before]
