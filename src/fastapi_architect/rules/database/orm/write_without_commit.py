"""A row is written and nobody commits it.

SQLAlchemy begins a transaction with the first statement and rolls it back when the session is closed. A write that no `commit`
follows is gone with the end of the request: the client got its 200, later statements of the same request even saw the row, and
the table never has it.

Known limits: a commit under a condition counts as a commit, and so does one by something that is not known but gets the
session. Objects that are only changed (`user.name = name`) are left alone, because they may belong to no session.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.request_transactions import LostWrite, lost_writes
from fastapi_architect.analyses.session_owners import is_async_session
from fastapi_architect.concepts.database import DatabaseCall
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Edit,
    Finding,
    Fix,
    Function,
    Location,
    Proof,
    Rule,
    Severity,
    Step,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A write to the database is never committed",
    severity=Severity.CRITICAL,
    cwe=670,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/session_basics.html#committing",
        "https://docs.sqlalchemy.org/en/20/core/connections.html#commit-as-you-go",
    ),
    requires=("sqlalchemy",),
)


@rule.check(per=AppGraph)
def never_committed(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    by_place: dict[int, list[LostWrite]] = {}
    for lost in lost_writes(graph):
        place = lost.write.trace.act.site
        if place.scope.module.kind == "source" and lost.function.module.kind == "source":
            by_place.setdefault(id(place.scope), []).append(lost)
    for those in by_place.values():
        yield _finding(those, graph)


def _finding(those: list[LostWrite], graph: AppGraph) -> Finding:
    """One for each function that writes: its first write, with everybody who loses it."""
    those = sorted(those, key=lambda lost: lost.write.trace.act.site.node.span)
    lost = those[0]
    act = lost.write.trace.act
    call = act.concept
    assert isinstance(call, DatabaseCall)
    function = act.site.scope
    assert isinstance(function, Function)
    operations = {id(o): o for each in those for o in each.operations}
    session = written(graph, function, call.session) or "session"
    commit = f"{'await ' if is_async_session(graph, function, call.session) else ''}{session}.commit()"
    what = _what(call, graph)
    whose = f"`{next(iter(routes_of(operations.values())))}`" if operations else f"`{lost.function.name}`"
    return rule.at(
        act.site,
        f"{what} is never committed: {_why(lost)}",
        "Commit when the work is done, here or in whoever owns the transaction:\n```python\n"
        f"{written(graph, function, act.site.node)}\n{commit}\n```",
        reasoning="The session's transaction was begun by the first statement; closing the session without a commit rolls it back.",
        exploit=f"{whose} answers as if it had worked; the next request does not find what was written.",
        confidence=_confidence(lost),
        trace=(*_way(lost), *steps((lost.function, _end(lost)))),
        fix=_fix(those, function, commit),
        routes=routes_of(operations.values()),
    )


def _what(call: DatabaseCall, graph: AppGraph) -> str:
    text = written(graph, call.scope, call.node)
    return f"`{text if len(text) <= 60 else f'{text[:57]}...'}`"


def _why(lost: LostWrite) -> str:
    if not lost.operations:
        return f"`{lost.function.name}` closes its session `{lost.write.session}` without a commit, and what was written is rolled back."
    provider = f", nor does `{lost.provider.name}` behind its `yield`" if lost.provider is not None else ""
    return f"neither `{lost.function.name}` nor what it calls commits{provider}. The write is rolled back when the request ends."


def _end(lost: LostWrite) -> str:
    if not lost.operations:
        return f"`{lost.function.name}` ends, and its session is rolled back"
    return f"`{lost.function.name}` returns, nobody has committed"


def _way(lost: LostWrite) -> Iterator[Step]:
    if lost.operations:
        yield Step(lost.function.location(), f"{routes_of(lost.operations)[0]} runs `{lost.function.name}`")
    for hop in lost.write.trace.hops:
        yield Step(hop.scope.location(hop.node), "which calls")
    site = lost.write.trace.act.site
    yield Step(site.scope.location(site.node), "writes")


def _confidence(lost: LostWrite) -> Confidence:
    if lost.operations and lost.provider is None:
        return Confidence.TENTATIVE  # who gave the session may commit it
    return Confidence.CERTAIN if lost.write.trace.act.sure and not lost.write.trace.hops else Confidence.FIRM


def _fix(those: list[LostWrite], function: Function, commit: str) -> Fix | None:
    """A commit behind the last of the writes, where that is one statement of the function's own level."""
    site = those[-1].write.trace.act.site
    if site.loops or site.context.inside("lambda", "if", "else", "handler", "finally", "case") is not None:
        return None
    if function.is_async and not commit.startswith("await"):
        return None
    place = function.location(site.statement)
    end = Location(place.path, place.end_line, place.end_column, place.end_line, place.end_column)
    return Fix("Commit behind the write", (Edit(end, f"\n{' ' * place.column}{commit}"),), safe=False)


_EXAMPLE = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


    class Base(DeclarativeBase):
        pass


    class Wish(Base):
        __tablename__ = "wishes"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]


    Base.metadata.create_all(engine)


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    @app.get("/wishes")
    def list_wishes(session: SessionDep, limit: int = 50) -> list[str]:
        return list(session.scalars(select(Wish.title).limit(limit)))

"""

rule.bad = (
    _EXAMPLE
    + """
    @app.post("/wishes/{title}", status_code=201)
    def add_wish(title: str, session: SessionDep) -> None:
        session.add(Wish(title=title))  # finding: write-without-commit
"""
)

rule.good = (
    _EXAMPLE
    + """
    @app.post("/wishes/{title}", status_code=201)
    def add_wish(title: str, session: SessionDep) -> None:
        session.add(Wish(title=title))
        session.commit()
"""
)


@rule.symptom
def the_wish_is_gone(proof: Proof) -> None:
    """The client is told that the wish was created, and the list stays empty."""
    assert proof.client.post("/wishes/Emma").status_code == 201
    assert proof.client.get("/wishes").json() == []
