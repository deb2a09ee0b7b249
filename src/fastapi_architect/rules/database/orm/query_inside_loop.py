"""A query is sent once for each element of a list, where one query could answer for all of them.

A basket of 30 lines, each of whose books is looked up, is 30 round trips one after the other; one `IN` fetches all
books at once. It is quick on the developer's machine, where a round trip takes a tenth of a millisecond, and slow where
the database is another host. A client who chooses the length of the list chooses how long a connection of the pool is
held.

The query need not stand in the loop: a helper, a service or a repository that is called with the element sends it just as
often.

Known limits: only queries that depend on the element are meant, in what requests run; attempts, pages, batches and lists
that stand in the code are left out, and so are `while` loops, commits and flushes. A session of its own for each element,
inside a `try` of its own, keeps failures apart and is tentative, and so is a round that asks another host, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.looped_queries import LoopedQuery, looped_queries
from fastapi_architect.analyses.query_counts import page_of, per_row
from fastapi_architect.analyses.row_writes import models_of
from fastapi_architect.analyses.run_by_hand import is_run_by_hand
from fastapi_architect.concepts.database import DocumentOperation, QueryStart, SessionGet
from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.findings.finding import Step
from fastapi_architect.program.facts import runs_as_script
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Location,
    Proof,
    Rule,
    Severity,
    Site,
    ir,
    last_name,
    routes_of,
    steps,
)

_BROAD = frozenset({"Exception", "BaseException"})

rule = Rule(
    __name__,
    "A loop sends a query for each element",
    severity=Severity.IMPORTANT,
    cwe=1073,
    references=(
        "https://docs.sqlalchemy.org/en/20/core/operators.html#in-comparisons",
        "https://docs.sqlalchemy.org/en/20/orm/queryguide/dml.html",
    ),
    requires=("sqlalchemy",),
)


@rule.check(per=AppGraph)
def query_in_loop(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    grouped: dict[int, list[LoopedQuery]] = {}
    for each in looped_queries(graph):
        if not is_run_by_hand(each.round.scope) and not runs_as_script(each.round.inner):
            grouped.setdefault(id(each.round.loop), []).append(each)
    for those in grouped.values():
        yield _finding(those, graph)


def _finding(those: list[LoopedQuery], graph: AppGraph) -> Finding:
    first = min(those, key=lambda each: (not each.sure, each.round.inner.node.span))
    each, scope = first.round, first.round.scope
    entries = graph.entries(scope) if isinstance(scope, Function) else ()
    routes = routes_of(entries)
    factor = len({id(q.round.inner.node) for q in those if q.sure == first.sure})
    rows = page_of(entries)
    number = factor * rows.number
    what = f"`{last_name(each.inner.node.func)}`" if each.hops else _what(first, graph)
    shown = rows.text if first.over == "rows" else f"{rows.number} elements"
    more = f" and {factor - 1} more" if factor > 1 else ""
    found = rule.at(
        each.inner,
        f"`{scope.name}` runs {per_row(factor)} queries for `{routes[0]}`: {what}{more} once for each `{each.name}`, "
        f"{number} round trips with {shown}.",
        _suggestion(first, graph),
        reasoning=f"The query depends on `{each.name}`, so it is sent in each round"
        + (", through " + " and ".join(f"`{last_name(h.node.func)}`" for h in each.hops) if each.hops else "")
        + "; the round trips wait for each other.",
        exploit=f"With {shown}, a request to `{routes[0]}` holds its connection for {number} round trips instead of {factor}.",
        confidence=_confidence(first, graph),
        trace=_trace(first),
        routes=routes,
        impact=float(number),
    )
    return replace(found, severity=Severity.MINOR) if first.writes else found


def _confidence(first: LoopedQuery, graph: AppGraph) -> Confidence:
    """A helper that writes may be a job of its own for each element, which no single statement replaces."""
    if _is_kept_apart(first) or _waits_for_another_host(first, graph):
        return Confidence.TENTATIVE
    return Confidence.FIRM if first.sure and first.call.sure and not first.job else Confidence.TENTATIVE


def _is_kept_apart(first: LoopedQuery) -> bool:
    """Each element has a session of its own inside a `try` of its own: one that fails does not hurt the others."""
    inside = []
    for context in first.round.inner.context:
        if context.node is first.round.loop:
            break
        inside.append(context)
    caught = any(
        context.role == "try"
        and isinstance(context.node, ir.Try)
        and any(
            handler.type is None or last_name(handler.type) in _BROAD for handler in context.node.handlers
        )
        for context in inside
    )
    return caught and any(context.role == "with" for context in inside)


def _waits_for_another_host(first: LoopedQuery, graph: AppGraph) -> bool:
    """A round asks another host as well, here or in a function that it calls: that takes longer than the query."""
    scope, loop = first.round.scope, first.round.loop
    if any(c.node is loop for request in graph.within(OutboundRequest, scope) for c in request.site.context):
        return True
    in_rounds = [site for site in scope.facts.calls if any(c.node is loop for c in site.context)]
    called = {id(f): f for site in in_rounds for f in graph.program.calls.targets(site)}
    return any(next(iter(graph.within(OutboundRequest, each)), None) is not None for each in called.values())


def _model(first: LoopedQuery, graph: AppGraph) -> str:
    """Name of the model that is asked for, "" when it is not known."""
    scope = first.call.scope
    if isinstance(first.call, SessionGet):
        return next((m.name for m in models_of(first.call.model, scope, graph, cls=True)), "")
    for start in graph.within(QueryStart, scope):
        for entity in start.entities:
            for model in models_of(entity, scope, graph, cls=True):
                return model.name
    return ""


def _what(first: LoopedQuery, graph: AppGraph) -> str:
    if isinstance(first.call, DocumentOperation):
        return f"`{first.call.operation}`"
    model = _model(first, graph)
    return f"`{model}` is queried" if model else "a statement is sent"


def _suggestion(first: LoopedQuery, graph: AppGraph) -> str:
    model = _model(first, graph) or "Model"
    name = first.round.name
    if isinstance(first.call, DocumentOperation):
        return (
            "Ask for all of them at once, before the loop:\n```python\n"
            'found = {d["_id"]: d async for d in collection.find({"_id": {"$in": ids}})}\n```'
        )
    return (
        f"Ask for all of them with one statement before the loop, and look `{name}` up in the result:\n```python\n"
        f"found = {{row.id: row for row in session.scalars(select({model}).where({model}.id.in_(ids)))}}\n```\n"
        "Rows that are only written travel in one statement, too: `session.execute(insert(Model), values)`."
    )


def _trace(first: LoopedQuery) -> tuple[Step, ...]:
    each = first.round
    pairs: list[tuple[Site | Location, str]] = [(each.site, f"one round for each `{each.name}`")]
    pairs += [(hop, f"calls `{last_name(hop.node.func)}` with it") for hop in each.hops]
    pairs.append((first.call.site, "the query is sent here"))
    return steps(*pairs)


rule.bad = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        price: Mapped[int]


    Base.metadata.create_all(engine)


    @app.post("/books/{book_id}")
    def add_book(book_id: int, price: int, session: SessionDep) -> None:
        session.add(Book(id=book_id, price=price))
        session.commit()


    @app.post("/quotes")
    def quote(book_ids: list[int], session: SessionDep) -> int:
        total = 0
        for book_id in book_ids:
            book = session.get(Book, book_id)  # finding: query-inside-loop
            if book is not None:
                total += book.price
        return total
"""

rule.good = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        price: Mapped[int]


    Base.metadata.create_all(engine)


    @app.post("/books/{book_id}")
    def add_book(book_id: int, price: int, session: SessionDep) -> None:
        session.add(Book(id=book_id, price=price))
        session.commit()


    @app.post("/quotes")
    def quote(book_ids: list[int], session: SessionDep) -> int:
        books = session.scalars(select(Book).where(Book.id.in_(book_ids)))
        return sum(book.price for book in books)
"""


@rule.symptom
def five_books_take_five_queries(proof: Proof) -> None:
    """The price of five books is added up with five queries."""
    for book_id in range(1, 6):
        proof.client.post(f"/books/{book_id}", params={"price": 10})
    with proof.count_statements() as counted:
        assert proof.client.post("/quotes", json=[1, 2, 3, 4, 5]).json() == 50
    assert len([s for s in counted.statements if "SELECT" in s]) == 5
