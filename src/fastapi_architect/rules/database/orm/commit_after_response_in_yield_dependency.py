"""A dependency commits behind its `yield`, when the client already has its answer.

Before FastAPI 0.106 and since 0.118, the code behind the `yield` of a dependency runs after the response was sent. A commit there that
fails (a unique constraint, a serialization failure, a lost connection) can change nothing any more: the client was told 201, and the
row is rolled back. A client that asks again at once may also be faster than the commit.

Known limits: reported where an operation leaves writes for the dependency to commit. Without a known version of FastAPI the newest
is assumed, and the finding is firm.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.request_transactions import commits_after_response, request_end
from fastapi_architect.analyses.session_flow import Pending, session_flow
from fastapi_architect.concepts.database import Commit, DatabaseCall, TransactionBegin
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Edit,
    Finding,
    Fix,
    Function,
    Location,
    PathOperation,
    Proof,
    Rule,
    Severity,
    ir,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A dependency commits after the response was sent",
    severity=Severity.CRITICAL,
    cwe=755,
    references=(
        "https://fastapi.tiangolo.com/advanced/advanced-dependencies/#dependencies-with-yield-httpexception-except-and-background-tasks",
        "https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/#early-exit-and-scope",
    ),
    requires=("sqlalchemy",),
    versions={"fastapi": ">=0.121"},
)

#: Since this version `Depends(..., scope="function")` ends a dependency before the response is sent.
_HAS_SCOPES = (0, 121)


@rule.check(per=AppGraph)
def committed_too_late(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    relying: dict[int, list[tuple[PathOperation, Pending]]] = {}
    committers: dict[int, Function] = {}
    flow = session_flow(graph)
    for operation in graph.operations:
        committer = request_end(graph, operation).committer
        if committer is None or committer.module.kind != "source":
            continue
        left = [pending for each in operation.functions for pending in flow.summary(each).pending]
        if left and operation.is_write and commits_after_response(graph, operation, committer):
            committers[id(committer)] = committer
            relying.setdefault(id(committer), []).append((operation, left[0]))
    for key, those in relying.items():
        place = _commit_behind_yield(committers[key], graph)
        if place is not None:
            yield _finding(committers[key], place, those, graph)


def _commit_behind_yield(function: Function, graph: AppGraph) -> DatabaseCall | None:
    """The commit that runs when the generator goes on, or the `begin()` around the `yield`."""
    yields = function.facts.sites(ir.Yield)
    if not yields:
        return None
    for commit in graph.within(Commit, function):
        if commit.node.span > yields[0].node.span and commit.site.context.inside("handler") is None:
            return commit
    around = [context.node for context in yields[0].context if context.role == "with"]
    for begin in graph.within(TransactionBegin, function):
        if begin.managed and not begin.nested and begin.site.statement in around:
            return begin
    return None


def _finding(
    function: Function, place: DatabaseCall, those: list[tuple[PathOperation, Pending]], graph: AppGraph
) -> Finding:
    operations = [operation for operation, _ in those]
    write = those[0][1].trace.act.site
    known = graph.version("fastapi")
    since = f"FastAPI {known}" if known is not None else "FastAPI since 0.118"
    count = len(operations)
    return rule.at(
        place,
        f"`{function.name}` commits for {count} operation{'s' * (count > 1)} after the response was sent ({since}): when the commit "
        "fails, the client has its success already.",
        "Commit before the handler returns, and leave closing to the dependency:\n```python\n"
        f"{written(graph, write.scope, write.node)}\n{'await ' if place.is_async else ''}{_session(place, graph)}.commit()\n```\n"
        f'Since FastAPI 0.121, `Depends({function.name}, scope="function")` also ends the dependency before the response.',
        reasoning="What is behind `yield` runs when the response has left; an exception there reaches the log, not the client.",
        exploit=f"`{routes_of(operations)[0]}` violates a constraint that is checked with the commit: the client reads success, "
        "and the row is gone.",
        confidence=Confidence.CERTAIN if known is not None and place.sure else Confidence.FIRM,
        trace=steps(
            (operations[0], f"{operations[0].names[0]} depends on `{function.name}`"),
            (write, "writes, and leaves the commit to the dependency"),
            (place, "commits behind the `yield`"),
        ),
        fix=_fix(function, operations, graph),
        routes=routes_of(operations),
        symbol=function.full_name,
    )


def _session(place: DatabaseCall, graph: AppGraph) -> str:
    return written(graph, place.scope, place.session) if isinstance(place, Commit) else "session"


def _fix(function: Function, operations: list[PathOperation], graph: AppGraph) -> Fix | None:
    """`scope="function"` wherever the dependency is declared, when nothing that lives longer needs it."""
    version = graph.version("fastapi")
    if version is None or version.release < _HAS_SCOPES:
        return None
    edits: dict[Location, Edit] = {}
    for operation in operations:
        for dependency in operation.all_dependencies():
            below = any(each.function is function for each in dependency.walk())
            if below and dependency.function is not function:
                if dependency.function is None or dependency.function.is_generator:
                    return None  # a dependency of the request may not need one of the function
            elif below and dependency.provider is not None:
                place = dependency.scope.location(dependency.provider)
                end = Location(place.path, place.end_line, place.end_column, place.end_line, place.end_column)
                edits[end] = Edit(end, ', scope="function"')
    return (
        Fix("End the dependency before the response is sent", tuple(edits.values()), safe=False)
        if edits
        else None
    )


_EXAMPLE = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        isbn: Mapped[str] = mapped_column(primary_key=True)


    Base.metadata.create_all(engine)

"""

rule.bad = (
    _EXAMPLE
    + """
    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session
            session.commit()  # finding: commit-after-response-in-yield-dependency


    @app.post("/books/{isbn}", status_code=201)
    def add_book(isbn: str, session: Annotated[Session, Depends(get_session)]) -> None:
        session.add(Book(isbn=isbn))
"""
)

rule.good = (
    _EXAMPLE
    + """
    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    @app.post("/books/{isbn}", status_code=201)
    def add_book(isbn: str, session: Annotated[Session, Depends(get_session)]) -> None:
        session.add(Book(isbn=isbn))
        session.commit()
"""
)


@rule.symptom
def a_failed_commit_is_a_success(proof: Proof) -> None:
    """The second book with the same number is refused by the database, and the client is told 201."""
    client = proof.client_for(proof.app, raise_server_exceptions=False)
    assert client.post("/books/9780141439518").status_code == 201
    assert client.post("/books/9780141439518").status_code == 201
