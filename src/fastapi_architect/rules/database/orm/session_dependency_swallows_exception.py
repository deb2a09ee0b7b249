"""A dependency with `yield` catches what the handler raised and does not let it go on.

FastAPI throws the handler's exception into the dependency at its `yield`. An `except` there that rolls back and ends the function
swallows it: since FastAPI 0.110 the client then gets a plain 500, whatever was raised. A 404 or 409 of the handler
becomes "Internal Server Error", and the real error is in no log.

Known limits: only handlers around the `yield` itself are read.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import Version

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
    dotted_name,
    ir,
    last_name,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A session dependency swallows the handler's exceptions",
    severity=Severity.IMPORTANT,
    cwe=390,
    references=(
        "https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/#always-raise-in-dependencies-with-yield-and-except",
    ),
    requires=("sqlalchemy",),
)

_SINCE = Version("0.110")
_LOGGED = ("Exception", "BaseException", "HTTPException", "StarletteHTTPException")


@rule.check(per=AppGraph)
def swallowed(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    version = graph.version("fastapi")
    if version is not None and version < _SINCE:
        return
    for provider in graph.database.session_providers:
        function = provider.function
        if not provider.yields or function.module.kind != "source" or not graph.operations_running(function):
            continue
        for handler in _around_yield(function):
            if not _leaves(handler.body):
                yield _finding(function, handler, graph)


def _around_yield(function: Function) -> Iterator[ir.Handler]:
    seen = set()
    for site in function.facts.sites(ir.Yield):
        for context in site.context:
            if context.role == "try" and isinstance(context.node, ir.Try) and id(context.node) not in seen:
                seen.add(id(context.node))
                yield from context.node.handlers


def _leaves(body: list[ir.Stmt]) -> bool:
    """Some statement of the handler raises."""
    for statement in body:
        if isinstance(statement, ir.Raise):
            return True
        blocks: list[list[ir.Stmt]] = []
        if isinstance(statement, ir.If):
            blocks = [statement.body, statement.orelse, *(b.body for b in statement.elifs)]
        elif isinstance(statement, ir.With):
            blocks = [statement.body]
        elif isinstance(statement, ir.Try):
            blocks = [statement.body, statement.finalbody, *(h.body for h in statement.handlers)]
        if any(_leaves(block) for block in blocks):
            return True
    return False


def _finding(function: Function, handler: ir.Handler, graph: AppGraph) -> Finding:
    operations = graph.operations_running(function)
    kind = last_name(handler.type) if handler.type is not None else ""
    broad = not kind or kind in _LOGGED
    caught = "every exception" if not kind else f"`{kind}`"
    effect = (
        "a 404 of a handler becomes a 500" if broad else "the client gets a 500, and the error is in no log"
    )
    place = function.location(handler)
    yielded = next((s.node.value for s in function.facts.sites(ir.Yield) if s.node.value is not None), None)
    session, wait = (
        (dotted_name(yielded) if yielded is not None else "") or "session",
        "await " if function.is_async else "",
    )
    return rule.at(
        place,
        f"`{function.name}` swallows {caught} of {len(operations)} operation{'s' * (len(operations) > 1)}: {effect}.",
        "Let the exception go on after the rollback:\n```python\n"
        f"try:\n    yield {session}\nexcept {kind or 'Exception'}:\n    {wait}{session}.rollback()\n    raise\n```",
        reasoning="FastAPI throws the exception into the dependency; when the generator ends without raising, there is neither a "
        "response nor an error to make one of.",
        exploit=f"`{operations[0].names[0]}` {'raises an HTTPException' if broad else 'fails in the database'}: {effect}.",
        confidence=Confidence.CERTAIN if broad else Confidence.FIRM,
        trace=steps((operations[0], f"{operations[0].names[0]} depends on `{function.name}`")),
        fix=_fix(function, handler),
        routes=routes_of(operations),
        symbol=function.full_name,
    )


def _fix(function: Function, handler: ir.Handler) -> Fix | None:
    last = handler.body[-1]
    place = function.location(last)
    if isinstance(last, ir.Return | ir.Jump):
        return None
    end = Location(place.path, place.end_line, place.end_column, place.end_line, place.end_column)
    return Fix("Raise it again", (Edit(end, "\n" + " " * place.column + "raise"),), safe=True)


rule.bad = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI, HTTPException
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    def get_session() -> Iterator[Session]:
        session = Session(engine)
        try:
            yield session
        except Exception:  # finding: session-dependency-swallows-exception
            session.rollback()
        finally:
            session.close()


    @app.get("/books/{book_id}")
    def read_book(book_id: int, session: Annotated[Session, Depends(get_session)]) -> str:
        raise HTTPException(404, "no such book")
"""

rule.good = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI, HTTPException
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    def get_session() -> Iterator[Session]:
        session = Session(engine)
        try:
            yield session
        except Exception:
            session.rollback()
            raise
        finally:
            session.close()


    @app.get("/books/{book_id}")
    def read_book(book_id: int, session: Annotated[Session, Depends(get_session)]) -> str:
        raise HTTPException(404, "no such book")
"""


@rule.symptom
def not_found_becomes_an_internal_error(proof: Proof) -> None:
    """A book that is not found is answered with 500 instead of 404."""
    client = proof.client_for(proof.app, raise_server_exceptions=False)
    assert client.get("/books/7").status_code == 500
