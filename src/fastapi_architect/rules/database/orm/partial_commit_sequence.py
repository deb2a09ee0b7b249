"""What belongs together is committed in pieces.

A commit cannot be taken back. When a function commits a new row and then writes the rows that make it whole (an account and its role,
an order and its lines), everything that goes wrong in between leaves half of it: the request fails, the client tries again, and
the first half is there for good, often in the way of the second try. `flush()` gives the new row its id without ending
the transaction.

Known limits: seen are rows that refer to the first one by a foreign key and are committed after it in the same function or below
it. Two changes of rows that exist (taking from one account, giving to another), commits in loops, which save progress, and
rows that only note what happened (history, audit, events) are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.commit_sequences import CommitSequence, Half, commit_sequences
from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.session_flow import Trace
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
    first_route,
    ir,
    lazy_pattern,
    routes_of,
)

rule = Rule(
    __name__,
    "What belongs together is committed in pieces",
    severity=Severity.IMPORTANT,
    cwe=460,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/session_basics.html#flushing",
        "https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x11-V2-Validation-and-Business-Logic.md",
    ),
    requires=("sqlalchemy",),
)

#: Rows that note what happened: without them the rest is whole.
_NOTES = lazy_pattern(r"log|audit|histor|event|notif|metric|activit", re.IGNORECASE)
#: Calls below which somebody else decides what is one piece of work.
_NEAR = 1


@rule.check(per=AppGraph)
def is_committed_in_pieces(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for sequence in commit_sequences(graph):
        rest = [half for half in sequence.rest if not _NOTES.search(half.model.name)]
        if rest and not _NOTES.search(sequence.first.model.name):
            yield _finding(sequence, rest, graph)


def _finding(sequence: CommitSequence, rest: list[Half], graph: AppGraph) -> Finding:
    function, first = sequence.function, sequence.first
    operations = graph.entries(function)
    site = first.commit.site
    missing = _listed([half.model.name for half in rest])
    flush, fix = _flush(sequence, rest, graph)
    return rule.at(
        site,
        f"`{_short(written(graph, function, site.node))}` commits the new `{first.model.name}` before its {missing} "
        f"{'is' if len(rest) == 1 else 'are'} written: what fails after it leaves one without the other.",
        "Write all of it in one transaction; a flush gives the id without a commit:\n```python\n"
        + flush
        + "\n```",
        reasoning="A rollback reaches back to the last commit, not to the beginning of the request.",
        exploit=f"{first_route(operations, function.name)} is refused or breaks off in line {_line(function, rest[0].write)}: "
        f"the `{first.model.name}` stays, without {missing}.",
        confidence=_confidence(first, rest[0]),
        trace=(
            *_way(first.write, f"writes the `{first.model.name}`"),
            Step(function.location(site.node), "commits it"),
            *_way(rest[0].write, f"writes its `{rest[0].model.name}`"),
            Step(function.location(rest[0].commit.site.node), "commits that"),
        ),
        fix=fix,
        routes=routes_of(operations),
    )


def _short(call: str) -> str:
    return call if len(call) <= 50 else f"{call.partition('(')[0]}(...)"


def _listed(names: list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _line(function: Function, trace: Trace) -> int:
    return function.location(trace.site.node).line


def _way(trace: Trace, what: str) -> Iterator[Step]:
    for hop in trace.hops:
        yield Step(hop.scope.location(hop.node), f"`{hop.scope.name}` calls")
    site = trace.act.site
    yield Step(site.scope.location(site.node), what)


def _confidence(first: Half, second: Half) -> Confidence:
    traces = (first.write, first.commit, second.write, second.commit)
    if any(len(t.hops) > _NEAR for t in traces) or any(
        h.commit.act.kind != "commit" for h in (first, second)
    ):
        return Confidence.TENTATIVE
    is_direct = not any(t.hops for t in traces)
    return Confidence.CERTAIN if is_direct and all(t.act.sure for t in traces) else Confidence.FIRM


def _flush(sequence: CommitSequence, rest: list[Half], graph: AppGraph) -> tuple[str, Fix | None]:
    """The first commit as a flush, in the reader's names; as an edit where both commits stand in this function."""
    function, commit = sequence.function, sequence.first.commit
    act = commit.act
    scope = act.site.scope
    call = act.site.node
    assert isinstance(scope, Function)
    waits = "await " if act.site.awaited else ""
    method = call.func if isinstance(call, ir.Call) and isinstance(call.func, ir.Attribute) else None
    session = (written(graph, scope, method.value) if method is not None else "") or "session"
    where = f"in `{scope.name}`: " if commit.hops else ""
    text = f"{waits}{session}.flush()  # {where}instead of the first commit\n...\n{waits}{session}.commit()  # once, at the end"
    if commit.hops or method is None or method.attr != "commit" or rest[-1].commit.hops:
        return text, None
    if any(half.commit.act.session != act.session for half in rest):
        return text, None
    place = function.location(method)
    name = Location(
        place.path, place.end_line, place.end_column - len("commit"), place.end_line, place.end_column
    )
    return text, Fix("Flush here, commit once", (Edit(name, "flush"),), safe=False)


_EXAMPLE = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import ForeignKey, create_engine, func, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


    class Base(DeclarativeBase):
        pass


    class Account(Base):
        __tablename__ = "accounts"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]


    class Role(Base):
        __tablename__ = "roles"

        id: Mapped[int] = mapped_column(primary_key=True)
        account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
        name: Mapped[str] = mapped_column(unique=True)


    Base.metadata.create_all(engine)


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    @app.get("/accounts/count")
    def count_accounts(session: SessionDep) -> int:
        return session.scalar(select(func.count(Account.id))) or 0

"""

rule.bad = (
    _EXAMPLE
    + """
    @app.post("/accounts/{name}", status_code=201)
    def open_account(name: str, role: str, session: SessionDep) -> None:
        account = Account(name=name)
        session.add(account)
        session.commit()  # finding: partial-commit-sequence
        session.add(Role(account_id=account.id, name=role))
        session.commit()
"""
)

rule.good = (
    _EXAMPLE
    + """
    @app.post("/accounts/{name}", status_code=201)
    def open_account(name: str, role: str, session: SessionDep) -> None:
        account = Account(name=name)
        session.add(account)
        session.flush()
        session.add(Role(account_id=account.id, name=role))
        session.commit()
"""
)


@rule.symptom
def an_account_without_a_role_stays(proof: Proof) -> None:
    """The second account asks for a role that is taken: the request fails, and the account is there."""
    assert proof.client.post("/accounts/Emma?role=owner").status_code == 201
    assert proof.client.post("/accounts/Anne?role=owner").status_code == 500
    assert proof.client.get("/accounts/count").json() == 2
