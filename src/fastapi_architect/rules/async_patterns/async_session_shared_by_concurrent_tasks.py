"""Several tasks use one database session at the same time.

A session, or a connection, is one conversation with the database: while one task waits for an answer, another one must not
ask. `asyncio.gather`, a task group or a pool of threads makes them do just that. SQLAlchemy refuses when it notices
(`InvalidRequestError`, `IllegalStateChangeError`); when it does not, one task commits or rolls back what another has half
done.

Known limits: a session that is handed to a library's own helper (a paginator, say) is not followed into it; nor are
tasks that are started in one function and awaited in another.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.running_together import Member, Together, is_made_in, running_together
from fastapi_architect.analyses.session_use import SessionUse, SessionUses, session_uses
from fastapi_architect.concepts.concurrency import TaskSpawn
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
    Site,
    Step,
    dotted_name,
    first_route,
    ir,
    last_name,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "One database session is used by tasks that run at the same time",
    severity=Severity.CRITICAL,
    cwe=662,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/session_basics.html#is-the-session-thread-safe-is-asyncsession-safe-to-share-in-concurrent-tasks",
        "https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#using-asyncsession-with-concurrent-tasks",
    ),
    requires=("sqlalchemy", "aiosqlite"),
)

#: How many of several calls are named.
_SHOWN = 3


@rule.check(per=AppGraph)
def shared_at_once(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    uses = session_uses(graph)
    for group in running_together(graph):
        found = _shared(group, uses)
        if found is not None:
            yield _finding(group, *found, graph)


def _shared(group: Together, uses: SessionUses) -> tuple[list[Member], list[SessionUse]] | None:
    """The calls that use one session, and how each of them does; None when each has its own."""
    by_session: dict[tuple[int, tuple[str, ...]], list[tuple[Member, SessionUse]]] = {}
    for member in group.members:
        found = uses.of_call(member.call, group.function) if member.call else uses.of_handed(member.handed)
        for use in found:
            if member.repeated is None or not _is_made_anew(use, member.repeated):
                by_session.setdefault(use.key, []).append((member, use))
    for pairs in by_session.values():
        if len(pairs) > 1 or pairs[0][0].repeated is not None:
            return [member for member, _ in pairs], [use for _, use in pairs]
    return None


def _is_made_anew(use: SessionUse, repeated: ir.Node) -> bool:
    """Every round has a session of its own."""
    bindings = use.scope.facts.bindings.get(use.steps[0], ())
    return any(binding.node is repeated or is_made_in(repeated, binding.node) for binding in bindings)


def _finding(group: Together, members: list[Member], uses: list[SessionUse], graph: AppGraph) -> Finding:
    function, use = group.function, uses[0]
    operations = graph.entries(function)
    kind = "threads" if group.threads else "tasks"
    return rule.at(
        group.concept,
        f"{_listed(members)} run at the same time and use one session, `{use.written}`: it does one thing at a time.",
        _suggestion(members, use, function),
        reasoning=f"All of these {kind} hold `{use.written}` of `{use.scope.name}`. While one waits for the "
        "database, the next one sends its statement on the same connection.",
        exploit=f"A call of {first_route(operations, function.name)} ends in an InvalidRequestError, or one of the {kind} "
        "commits what another has only begun.",
        confidence=Confidence.CERTAIN if all(each.sure for each in uses) else Confidence.TENTATIVE,
        trace=_trace(group, members, uses),
        fix=_one_after_the_other(group),
        routes=routes_of(operations),
    )


def _listed(members: list[Member]) -> str:
    """Who runs, each function once."""
    names = list(dict.fromkeys(f"`{_name(member)}`" for member in members))
    if len(names) == 1:
        return f"Several calls of {names[0]}"
    rest = len(names) - _SHOWN
    shown, last = (names[:_SHOWN], f"{rest} more") if rest > 0 else (names[:-1], names[-1])
    return f"{', '.join(shown)} and {last}"


def _name(member: Member) -> str:
    function = member.handed.function
    if isinstance(function, ir.Lambda):
        function = getattr(function.body, "func", function)
    return dotted_name(function) or last_name(function) or "..."


def _suggestion(members: list[Member], use: SessionUse, function: Function) -> str:
    given = use.written
    plain = all(member.repeated is None for member in members) and function.is_async
    own = (
        "async with session_factory() as session:  # one for each task\n"
        f"    await {_name(members[0])}(session)"
    )
    if not plain:
        return (
            f"Open a session inside each task, from the factory that made `{given}`:\n```python\n{own}\n```"
        )
    lines = "\n".join(
        f"{_variable(index)} = await {_name(m)}(...)" for index, m in enumerate(members[:_SHOWN])
    )
    return (
        f"Ask one after the other, as `{given}` can do no more anyway:\n```python\n{lines}\n```\n"
        f"Or open a session inside each task:\n```python\n{own}\n```"
    )


def _variable(index: int) -> str:
    return ("first", "second", "third")[index]


def _trace(group: Together, members: list[Member], uses: list[SessionUse]) -> tuple[Step, ...]:
    found: list[tuple[Location | Site, str]] = []
    for member, use in list(zip(members, uses, strict=True))[:_SHOWN]:
        place = group.function.location(member.handed.function)
        found.append((place, f"{_name(member)} is started here"))
        found += [(hop, f"{hop.scope.name} hands the session on") for hop in use.hops[-1:]]
        found.append((use.call.location, "and sends a statement here"))
    return steps(*found)


def _one_after_the_other(group: Together) -> Fix | None:
    """`await gather(a(), b())` as `(await a(), await b())`; None where it stands differently."""
    concept = group.concept
    call, site = concept.node, concept.site
    if not isinstance(concept, TaskSpawn) or not site.awaited or last_name(call.func) != "gather":
        return None
    if call.keywords or len(call.args) < 2 or any(each.__class__ is not ir.Call for each in call.args):
        return None
    statement = site.statement
    taken_apart = isinstance(statement, ir.Assign) and isinstance(statement.targets[0], ir.Sequence)
    awaiting = getattr(statement, "value", None)
    if not isinstance(awaiting, ir.Await) or not (taken_apart or isinstance(statement, ir.ExprStmt)):
        return None
    start, end = site.scope.location(awaiting), site.scope.location(call.func)
    removed = Location(start.path, start.line, start.column, end.end_line, end.end_column)
    edits = [Edit(removed, "")]
    for each in call.args:
        place = site.scope.location(each)
        edits.append(Edit(Location(place.path, place.line, place.column, place.line, place.column), "await "))
    return Fix("Ask one after the other", tuple(edits), safe=False)


rule.bad = """
    import asyncio
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import func, select
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    engine = create_async_engine("sqlite+aiosqlite:///shop.db", pool_pre_ping=True)
    session_factory = async_sessionmaker(engine)


    class Base(DeclarativeBase):
        pass


    class Review(Base):
        __tablename__ = "reviews"

        id: Mapped[int] = mapped_column(primary_key=True)
        rating: Mapped[int]


    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield


    app = FastAPI(lifespan=lifespan)


    async def get_session() -> AsyncIterator[AsyncSession]:
        async with session_factory() as session:
            yield session


    async def average_of(session: AsyncSession) -> float:
        return await session.scalar(select(func.avg(Review.rating))) or 0.0


    async def best_of(session: AsyncSession) -> int:
        return await session.scalar(select(func.max(Review.rating))) or 0


    @app.get("/statistics")
    async def statistics(session: Annotated[AsyncSession, Depends(get_session)]) -> dict[str, float]:
        average, best = await asyncio.gather(average_of(session), best_of(session))  # finding: async-session-shared-by-concurrent-tasks
        return {"average": average, "best": best}
"""

rule.good = rule.bad.replace(
    "await asyncio.gather(average_of(session), best_of(session))  # finding: async-session-shared-by-concurrent-tasks",
    "await average_of(session), await best_of(session)",
).replace("    import asyncio\n", "")


@rule.symptom
def the_second_statement_is_refused(proof: Proof) -> None:
    """The two statements meet on one connection, and the request ends in an error."""
    assert proof.client.get("/statistics").status_code == 500
    assert any("concurrent operations" in error for error in proof.server_errors)
