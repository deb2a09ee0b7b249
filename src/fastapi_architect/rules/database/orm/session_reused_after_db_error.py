"""A failed flush or commit is caught, and the session is used on without a rollback.

After a flush that failed, a session refuses everything but `rollback()`: the next statement raises PendingRollbackError. The
handler that was to make a duplicate harmless turns it into a 500 of the next line, whose error speaks of something else.

Known limits: the flush or commit and the next use are looked for in one function. Handlers that raise or return leave the session
to whoever closes it, which is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.session_acts import Act, session_acts
from fastapi_architect.analyses.session_owners import is_async_session
from fastapi_architect.concepts.database import Commit, DatabaseCall, SessionFlush, TransactionBegin
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
    first_route,
    ir,
    names_in,
    routes_of,
    steps,
    walk,
)
from fastapi_architect.syntax import span

rule = Rule(
    __name__,
    "A session is used after a failed flush without a rollback",
    severity=Severity.IMPORTANT,
    cwe=755,
    references=(
        "https://docs.sqlalchemy.org/en/20/faq/sessions.html#this-session-s-transaction-has-been-rolled-back-due-to-a-previous-exception-during-flush-or-similar",
    ),
    requires=("sqlalchemy",),
)

_ERRORS = frozenset(
    {
        "IntegrityError",
        "SQLAlchemyError",
        "DBAPIError",
        "DatabaseError",
        "OperationalError",
        "DataError",
        "StatementError",
    }
    | {"Exception", "BaseException"}
)
#: Calls after which a session may be used again.
_ENDS = frozenset({"rollback", "close", "aclose", "reset", "invalidate", "remove", "expunge_all", "abort"})


@rule.check(per=Function, having=(Commit,))
def used_after_failure_to_commit(function: Function, graph: AppGraph) -> Iterator[Finding]:
    yield from used_after_failure(function, graph)


@rule.check(per=Function, having=(SessionFlush,))
def used_after_failure_to_flush(function: Function, graph: AppGraph) -> Iterator[Finding]:
    if not graph.within(Commit, function):
        yield from used_after_failure(function, graph)


def used_after_failure(function: Function, graph: AppGraph) -> Iterator[Finding]:
    if function.module.kind != "source" or not function.facts.sites(ir.Try):
        return
    acts = session_acts(graph).of(function)
    for attempt in function.facts.sites(ir.Try):
        failing = _failing(attempt.node, acts, graph)
        for handler in attempt.node.handlers if failing is not None else ():
            if failing is None or not _catches(handler) or _leaves(handler.body) or _ends(handler.body):
                continue
            used = _next_use(attempt, handler, failing, acts)
            if used is not None and not _ends(attempt.node.finalbody):
                yield _finding(function, handler, failing, used, graph)
                break


def _failing(attempt: ir.Try, acts: tuple[Act, ...], graph: AppGraph) -> Act | None:
    """The flush or commit in the body of a `try`, of a session that is older than the `try`."""
    for act in acts:
        if not isinstance(act.concept, Commit | SessionFlush):
            continue
        for context in act.site.context:
            if context.node is attempt:
                if context.role == "try":
                    return act
                break
            if context.role in ("try", "handler", "lambda"):
                break
            if context.role == "with" and _opens_or_saves(context.node, act, graph):
                break
    return None


def _opens_or_saves(node: ir.Node | None, act: Act, graph: AppGraph) -> bool:
    """A `with` inside the `try` that opens the session, or sets a savepoint: leaving it ends what failed."""
    items = node.items if isinstance(node, ir.With) else []
    begins = {id(b.node): b for b in graph.within(TransactionBegin, act.site.scope)}
    used = act.concept.session if isinstance(act.concept, DatabaseCall) else None
    names = set(names_in(used))
    return any(
        id(item.context) in begins
        or (isinstance(item.target, ir.Name) and item.target.id == act.session)
        or (isinstance(item.context, ir.Call) and not names.isdisjoint(names_in(item.context.func)))
        for item in items
    )


def _catches(handler: ir.Handler) -> bool:
    return handler.type is None or not _ERRORS.isdisjoint(names_in(handler.type))


def _leaves(body: list[ir.Stmt]) -> bool:
    """Its end is a `raise` or a `return`, or a `break` out of the loop."""
    last = body[-1]
    if isinstance(last, ir.If):
        return bool(last.orelse) and _leaves(last.body) and _leaves(last.orelse)
    return isinstance(last, ir.Raise | ir.Return) or (isinstance(last, ir.Jump) and last.kind == "break")


def _ends(body: list[ir.Stmt]) -> bool:
    """Something in it may roll the session back, or close it: a call named so, or one that gets the session."""
    for statement in body:
        for node in walk(statement):  # type: ignore[arg-type]
            if isinstance(node, ir.Call) and not _ENDS.isdisjoint(names_in(node.func)):
                return True
    return False


def _next_use(attempt: Site, handler: ir.Handler, failing: Act, acts: tuple[Act, ...]) -> Act | None:
    """What the session is asked next: in the handler, behind the `try`, or in the next round of the loop."""
    loop = attempt.context.inside("loop")
    for act in acts:
        if (
            act.session != failing.session
            or not isinstance(act.concept, DatabaseCall)
            or act.kind == "rollback"
        ):
            continue
        inside = [context.node for context in act.site.context]
        if any(node is handler for node in inside):
            return act
        if any(node is attempt.node or isinstance(node, ir.Handler) for node in inside):
            continue
        if act.site.node.span > attempt.node.span and not _excludes(attempt, act.site):
            return None if _is_another(attempt, act) else act
    if loop is not None and not _is_made_inside(loop.node, failing):
        round_ = (a for a in acts if any(c.node is loop.node for c in a.site.context))
        return next(
            (a for a in round_ if a.session == failing.session and isinstance(a.concept, DatabaseCall)), None
        )
    return None


def _is_another(attempt: Site, later: Act) -> bool:
    """Between the `try` and the use, the name is given to a session of its own: `with Session(engine) as session:`."""
    end = span.unpack(attempt.node.span)[2:]
    used = span.unpack(later.site.node.span)[:2]
    bindings = later.site.scope.facts.bindings.get(later.session, ())
    return any(end <= span.unpack(b.node.span)[:2] <= used for b in bindings if b.kind != "parameter")


def _is_made_inside(loop: ir.Node | None, failing: Act) -> bool:
    """Each round of the loop makes a session of its own."""
    if loop is None:
        return False
    around = span.unpack(loop.span)
    bindings = failing.site.scope.facts.bindings.get(failing.session, ())
    inner = (span.unpack(b.node.span) for b in bindings if b.kind != "parameter")
    return any(around[:2] <= each[:2] and each[2:] <= around[2:] for each in inner)


def _excludes(attempt: Site, later: Site) -> bool:
    """They stand in different branches of one `if`."""
    branches = {id(c.node): c.role for c in attempt.context if c.role in ("if", "else", "case")}
    return any(branches.get(id(c.node), c.role) != c.role for c in later.context) or (
        len([c for c in attempt.context if c.role in ("if", "else")])
        > len([c for c in later.context if c.role in ("if", "else")])
        and isinstance(attempt.context.node, ir.If | ir.Branch)
        and bool(attempt.context.node.body)
        and isinstance(attempt.context.node.body[-1], ir.Return | ir.Raise)
    )


def _finding(function: Function, handler: ir.Handler, failing: Act, used: Act, graph: AppGraph) -> Finding:
    call = failing.concept
    assert isinstance(call, DatabaseCall)
    operations = graph.entries(function)
    session = written(graph, function, call.session) or "session"
    rollback = f"{'await ' if is_async_session(graph, function, call.session) else ''}{session}.rollback()"
    caught = written(graph, function, handler.type) if handler.type is not None else "every exception"
    text = written(graph, function, used.site.node)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return rule.at(
        function.location(handler),
        f"After `{written(graph, function, call.node)}` has failed, this handler goes on without a rollback, and `{text}` raises "
        "PendingRollbackError.",
        "Roll back before the session is used again:\n```python\ntry:\n    ...\n"
        f"except {caught if handler.type is not None else 'Exception'}:\n"
        f"    {rollback}\n```",
        reasoning="A failed flush ends the transaction inside; until `rollback()` the session refuses every statement.",
        exploit=f"Somebody sends {first_route(operations, function.name)} with a value that is taken: the handler catches the error, "
        "the next statement fails, and the answer is 500.",
        confidence=Confidence.FIRM,
        trace=steps(
            (failing.site, f"fails, and {caught} is caught"),
            (used.site, "uses the session that waits for a rollback"),
        ),
        fix=_fix(function, handler, rollback),
        routes=routes_of(operations),
        symbol=function.full_name,
    )


def _fix(function: Function, handler: ir.Handler, rollback: str) -> Fix | None:
    place = function.location(handler.body[0])
    if place.line == function.location(handler).line:
        return None
    start = Location(place.path, place.line, place.column, place.line, place.column)
    return Fix("Roll back first", (Edit(start, f"{rollback}\n{' ' * place.column}"),), safe=True)


_EXAMPLE = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, func, select
    from sqlalchemy.exc import IntegrityError
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Reader(Base):
        __tablename__ = "readers"

        name: Mapped[str] = mapped_column(primary_key=True)


    Base.metadata.create_all(engine)

"""

rule.bad = (
    _EXAMPLE
    + """
    @app.post("/readers/{name}")
    def remember(name: str) -> int:
        with Session(engine) as session:
            session.add(Reader(name=name))
            try:
                session.commit()
            except IntegrityError:  # finding: session-reused-after-db-error
                print("known already")
            return session.scalar(select(func.count()).select_from(Reader)) or 0
"""
)

rule.good = (
    _EXAMPLE
    + """
    @app.post("/readers/{name}")
    def remember(name: str) -> int:
        with Session(engine) as session:
            session.add(Reader(name=name))
            try:
                session.commit()
            except IntegrityError:
                session.rollback()
            return session.scalar(select(func.count()).select_from(Reader)) or 0
"""
)


@rule.symptom
def a_known_reader_is_an_internal_error(proof: Proof) -> None:
    """The handler catches the duplicate, and the count behind it fails."""
    client = proof.client_for(proof.app, raise_server_exceptions=False)
    assert client.post("/readers/ann").status_code == 200
    assert client.post("/readers/ann").status_code == 500
