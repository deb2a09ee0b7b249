"""An operation answers with errors that its documentation does not know.

Clients are generated from the OpenAPI document, and people read it. A 404 or 409 that is raised in a service two calls away
is in neither unless `responses=` of the route, its router or the application names it.

Known limits: only projects that document most of their errors are looked at: where few do, it is a decision. 422 is documented by
FastAPI itself, 401 and 403 of a dependency by the security scheme, and 500 is nobody's intention. Statuses that are computed are not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from fastapi_architect.analyses.http_errors import HttpRaise, caught, http_raises, status_code
from fastapi_architect.analyses.reaching import ways
from fastapi_architect.appgraph.question import question, question_about
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
    Scope,
    Severity,
    Site,
    ir,
    steps,
)

rule = Rule(
    __name__,
    "An operation raises errors that its documentation leaves out",
    severity=Severity.INFO,
    cwe=1059,
    references=("https://fastapi.tiangolo.com/advanced/additional-responses/",),
)

_UNDERSTOOD = frozenset({422, 500})
_FIRST_ERROR = 400
#: What a guard answers: the document names the guard, and with it these.
_OF_GUARDS = frozenset({401, 403})


@rule.check(per=PathOperation)
def undocumented(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    if operation.kind != "http" or not operation.in_schema or operation.floating or operation.handler is None:
        return
    documented = _documented(operation, graph)
    if documented is None or not _is_custom(graph):
        return
    raised = _raised(graph, operation)
    missing = {status: raised[status] for status in sorted(raised) if status not in documented}
    if missing:
        yield _finding(operation, missing)


@question
def _is_custom(graph: AppGraph) -> bool:
    """Half of the operations that raise errors, or more, document some."""
    telling = {id(operation) for operation in graph.operations if _documents_errors(operation, graph)}
    if not telling:
        return False  # what each of them raises need not be followed
    raising = [operation for operation in graph.operations if _raised(graph, operation)]
    documenting = sum(id(operation) in telling for operation in raising)
    return bool(documenting) and 2 * documenting >= len(raising)


def _documents_errors(operation: PathOperation, graph: AppGraph) -> bool:
    found = _documented(operation, graph)
    return found is None or any(status >= _FIRST_ERROR for status in found)


def _documented(operation: PathOperation, graph: AppGraph) -> frozenset[int] | None:
    """Statuses that `responses=` names on the way from the application; None when one of them cannot be read."""
    given: list[tuple[ir.Expr, Scope]] = [
        (keywords["responses"], operation.registration[1])
        for keywords in (operation.keywords, operation.router_keywords)
        if "responses" in keywords
    ]
    calls = [(inclusion.call, inclusion.scope) for inclusion in operation.inclusions]
    calls += [(site.node, site.scope) for site in _creations(graph)]
    given += [(k.value, scope) for call, scope in calls for k in call.keywords if k.arg == "responses"]
    found: set[int] = set()
    for expr, scope in given:
        table, where = graph.program.inference.expand(expr, scope)
        if not isinstance(table, ir.Dict):
            return None
        for key in table.keys:
            status = status_code(graph, key, where)
            if status is None:
                return None
            found.add(status)
    return frozenset(found)


@question
def _creations(graph: AppGraph) -> tuple[Site, ...]:
    """Calls that make applications."""
    return tuple(
        site for site in graph.program.call_sites_named("FastAPI") if site.scope.module.kind == "source"
    )


@question
def _by_scope(graph: AppGraph) -> dict[int, list[HttpRaise]]:
    """Raises that leave the body they stand in, by its identity."""
    found: dict[int, list[HttpRaise]] = {}
    for raised in http_raises(graph):
        if raised.status is not None and caught(graph, raised.site, raised.cls) is None:
            found.setdefault(id(raised.site.scope), []).append(raised)
    return found


@question_about
def _raised(graph: AppGraph, operation: PathOperation) -> dict[int, HttpRaise]:
    """Each status with the first place that raises it, of those that reach the client and that nothing else tells."""
    by_scope = _by_scope(graph)
    found: dict[int, HttpRaise] = {}
    understood = set(_UNDERSTOOD)
    for function in operation.functions:  # dependencies first
        for identity, way in ways(graph, function).items():
            for raised in by_scope.get(identity, ()):
                status = raised.status
                if status is None or status < _FIRST_ERROR or status in understood or way.ambiguous:
                    continue
                if any(caught(graph, hop, raised.cls) is not None for hop in way.hops):
                    continue
                if status in _OF_GUARDS and function is not operation.handler:
                    understood.add(status)
                else:
                    found.setdefault(status, raised)
    return found


def _finding(operation: PathOperation, missing: dict[int, HttpRaise]) -> Finding:
    numbers = [str(status) for status in missing]
    listed = numbers[0] if len(numbers) == 1 else f"{', '.join(numbers[:-1])} and {numbers[-1]}"
    table = ", ".join(f'{status}: {{"description": "{_phrase(status)}"}}' for status in missing)
    handler = operation.handler
    assert isinstance(handler, Function)
    return rule.at(
        handler,
        f"`{operation.names[0]}` may answer {listed}, which its documentation does not say.",
        f"Name them:\n```python\nresponses={{{table}}}\n```",
        reasoning="Other operations of this project document their errors; a generated client of this one does not know them.",
        exploit=f"A client generated from the OpenAPI document asks {operation.names[0]}, gets {numbers[0]}, and has no branch "
        "for it.",
        confidence=Confidence.FIRM,
        trace=steps(
            *[(raised.site, f"{status} is raised here") for status, raised in list(missing.items())[:5]]
        ),
        fix=_fix(operation, table),
        routes=operation.names,
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _fix(operation: PathOperation, table: str) -> Fix | None:
    """Behind the last argument of the registration."""
    call, scope = operation.registration
    given = [*call.args, *(k.value for k in call.keywords)]
    if not given or "responses" in operation.keywords or any(k.arg is None for k in call.keywords):
        return None
    last = max((scope.location(each) for each in given), key=lambda place: (place.end_line, place.end_column))
    place = Location(last.path, last.end_line, last.end_column, last.end_line, last.end_column)
    return Fix("Document the errors", (Edit(place, f", responses={{{table}}}"),), safe=True)


rule.bad = """
    from fastapi import FastAPI, HTTPException

    app = FastAPI()
    books = {1: "Emma"}


    def find(book: int) -> str:
        if book not in books:
            raise HTTPException(404, "no such book")
        return books[book]


    @app.get("/books/{book}", responses={404: {"description": "There is no such book."}})
    def get_book(book: int) -> str:
        return find(book)


    @app.delete("/books/{book}")
    def delete_book(book: int) -> str:  # finding: undocumented-error-responses
        title = find(book)
        del books[book]
        return title
"""

rule.good = """
    from fastapi import FastAPI, HTTPException

    app = FastAPI()
    books = {1: "Emma"}


    def find(book: int) -> str:
        if book not in books:
            raise HTTPException(404, "no such book")
        return books[book]


    @app.get("/books/{book}", responses={404: {"description": "There is no such book."}})
    def get_book(book: int) -> str:
        return find(book)


    @app.delete("/books/{book}", responses={404: {"description": "There is no such book."}})
    def delete_book(book: int) -> str:
        title = find(book)
        del books[book]
        return title
"""


@rule.symptom
def the_document_does_not_know_the_answer(proof: Proof) -> None:
    """The operation answers 404, and its OpenAPI document lists no such response."""
    assert proof.client.delete("/books/2").status_code == 404
    assert "404" not in proof.openapi()["paths"]["/books/{book}"]["delete"]["responses"]
