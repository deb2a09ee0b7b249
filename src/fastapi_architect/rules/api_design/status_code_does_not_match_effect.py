"""The status code says something else than what happened.

Clients, caches and monitors decide by the status. A creation that answers 200 has no `Location` and looks
like a read; an error inside a 200 is counted as a success; a body behind 204 is thrown away; a tuple
`(body, 404)`, as other frameworks take it, is sent as a list with status 200.

Known limits: a POST counts as a creation where its last path segment names the model that it stores;
actions, sign-ins and searches do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.own_code import registered
from fastapi_architect.analyses.reaching import is_conditional, ways
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.concepts.database import Commit, SessionAdd
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    Confidence,
    Edit,
    Finding,
    Fix,
    Function,
    Instance,
    Location,
    PathOperation,
    Proof,
    Rule,
    Severity,
    Site,
    ir,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "The status code does not match what happened",
    severity=Severity.MINOR,
    cwe=436,
    references=(
        "https://www.rfc-editor.org/rfc/rfc9110.html#section-15",
        "https://fastapi.tiangolo.com/tutorial/response-status-code/",
    ),
)

_RESPONSE = "starlette.responses.Response"
_NO_BODY = (204, 304)


@rule.check(per=PathOperation)
def status_that_says_something_else(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    handler = operation.handler
    if handler is None or operation.kind != "http" or operation.methods == ("OPTIONS",):
        return
    found = (
        _body_without_status(operation, handler, graph)
        or _tuple_returned(operation, handler)
        or _error_as_success(operation, handler)
        or _created(operation, handler, graph)
        or _deleted(operation, handler, graph)
    )
    if found is not None:
        yield found


def _returns(handler: Function) -> list[Site]:
    return [site for site in handler.facts.sites(ir.Return) if site.node.value is not None]


def _is_none(expr: ir.Expr) -> bool:
    return expr.__class__ is ir.Constant and expr.kind == "none"


def _is_response(expr: ir.Expr, handler: Function, graph: AppGraph) -> bool:
    hierarchy = graph.program.inference.hierarchy
    found = list(options(graph.program.inference.type_of(expr, handler)))
    return any(isinstance(o, Instance) and hierarchy.is_subclass(o.cls, _RESPONSE) for o in found)


def _sets_status(operation: PathOperation, handler: Function) -> bool:
    """The handler writes the status itself, on its response parameter."""
    names = {p.name for p in operation.parameters if p.kind == "response"}
    return any(
        site.node.attr == "status_code" and getattr(site.node.value, "id", "") in names
        for site in handler.facts.sites(ir.Attribute)
    )


def _body_without_status(operation: PathOperation, handler: Function, graph: AppGraph) -> Finding | None:
    if operation.status_code not in _NO_BODY or "response_class" in operation.keywords:
        return None
    for site in _returns(handler):
        value = site.node.value
        of = graph.program.inference.type_of(value, handler)
        plain = value.__class__ in (ir.Dict, ir.Sequence, ir.Constant, ir.JoinedStr) and not _is_none(value)
        built = any(isinstance(o, Instance) and isinstance(o.cls, Class) for o in options(of))
        if (plain or built) and not _is_response(value, handler, graph):
            return rule.at(
                handler,
                f"`{operation}` answers {operation.status_code} and returns a value ({handler.location(site.node)}): FastAPI "
                "drops it without a word.",
                f"Return nothing, or answer 200:\n```python\n{registered(graph, operation, returns='None')}\n```",
                reasoning=f"A response with status {operation.status_code} has no content (RFC 9110, section 15).",
                exploit=f"A client of `{operation}` is told {operation.status_code} and gets an empty body; the value is lost.",
                confidence=Confidence.CERTAIN,
                trace=steps((site, "this value is never sent")),
                routes=routes_of([operation]),
            )
    return None


def _tuple_returned(operation: PathOperation, handler: Function) -> Finding | None:
    for site in _returns(handler):
        value = site.node.value
        if value.__class__ is not ir.Sequence or value.kind != "tuple" or len(value.elts) != 2:
            continue
        last = value.elts[1]
        if last.__class__ is ir.Constant and last.kind == "int" and last.value in range(100, 600):
            return rule.at(
                handler,
                f"`{operation}` returns a pair of body and {last.value} ({handler.location(site.node)}): FastAPI sends both as "
                "a JSON list, with status 200.",
                f"Raise, or return a response with the status:\n```python\nraise HTTPException({last.value})\n```",
                reasoning="A tuple sets the status in Flask; FastAPI serialises whatever is returned.",
                exploit=f"A client of `{operation}` reads 200 where {last.value} was meant, and a list of two as the body.",
                confidence=Confidence.CERTAIN,
                trace=steps((site, "the tuple becomes the body")),
                routes=routes_of([operation]),
            )
    return None


def _error_as_success(operation: PathOperation, handler: Function) -> Finding | None:
    """`return {"error": ...}` in a branch or an `except`, with a status below 400."""
    if (operation.status_code or 200) >= 400 or _sets_status(operation, handler):
        return None
    for site in _returns(handler):
        value = site.node.value
        if value.__class__ is not ir.Dict or site.context.inside("if", "else", "handler") is None:
            continue
        keys = [k.value for k in value.keys if k.__class__ is ir.Constant]
        values = dict(zip(keys, value.values, strict=False)) if len(keys) == len(value.keys) else {}
        failed = getattr(values.get("success"), "value", None) is False and values.get("success") is not None
        if keys[:1] == ["error"] or (failed and set(keys) & {"error", "message", "detail"}):
            shown = keys[0]
            return rule.at(
                handler,
                f"`{operation}` returns `{{{shown!r}: ...}}` with status {operation.status_code or 200} "
                f"({handler.location(site.node)}): clients and monitors take the failure for a success.",
                'Raise an error with a status:\n```python\nraise HTTPException(status_code=400, detail="what is wrong")\n```',
                reasoning="A returned mapping is sent with the operation's success status.",
                exploit=f"A client of `{operation}` sees status {operation.status_code or 200}, takes the answer "
                "for a success and goes on.",
                confidence=Confidence.FIRM,
                trace=steps((site, "the error is returned as a success")),
                routes=routes_of([operation]),
            )
    return None


def _created(operation: PathOperation, handler: Function, graph: AppGraph) -> Finding | None:
    """A POST on a collection that stores one of its kind and answers the default 200."""
    if (
        operation.methods != ("POST",)
        or operation.status_code is not None
        or "status_code" in operation.keywords
    ):
        return None
    if _sets_status(operation, handler) or any(
        _is_response(s.node.value, handler, graph) for s in _returns(handler)
    ):
        return None
    if "response_class" in operation.keywords:
        return None
    last = next((p for p in reversed(operation.path.split("/")) if p), "")
    if "{" in last or not any(_names(last, model.name) for model in graph.models):
        return None
    done = effects(graph).of_handler(operation)
    if not any(graph.within(Commit, f) for f in (*done.functions, *operation.functions)):
        return None
    reached = ways(graph, handler)
    for write in done.writes:
        way = reached.get(id(write.scope))
        if not isinstance(write, SessionAdd) or way is None or not way.always or is_conditional(write.site):
            continue
        model = _model_of(write, graph)
        if model and _names(last, model):
            return _should_be_created(operation, handler, write, model, graph)
    return None


def _model_of(write: SessionAdd, graph: AppGraph) -> str:
    if write.instance is None or write.kind != "add":
        return ""
    for option in options(graph.program.inference.type_of(write.instance, write.scope)):
        if isinstance(option, Instance) and isinstance(option.cls, Class):
            return option.cls.name
    return ""


def _names(segment: str, model: str) -> bool:
    """`wishlist-items` names `WishlistItem`."""
    return re.sub(r"[^a-z0-9]", "", segment.lower()) in _path_names(model)


@lru_cache(maxsize=2048)
def _path_names(model: str) -> frozenset[str]:
    """How a path may name a model, letters and digits alone."""
    name = re.sub(r"(model|table|orm|db)$", "", model.lower())
    return frozenset({name, f"{name}s", f"{name}es", f"{name[:-1]}ies"} if name else ())


def _should_be_created(
    operation: PathOperation, handler: Function, write: SessionAdd, model: str, graph: AppGraph
) -> Finding:
    return rule.at(
        handler,
        f"`{operation}` ({handler.name}) stores a new `{model}` and answers 200: a creation is 201, with a Location.",
        f"Declare it:\n```python\n{registered(graph, operation, keywords={'status_code': '201'})}\n```",
        reasoning="200 says that the response describes the result of an action; 201 says that there is a new resource, and "
        "where (RFC 9110, section 15.3.2).",
        exploit=f"A client of `{operation}` sees 200 and cannot tell a new `{model}` from one that was there.",
        confidence=Confidence.FIRM,
        trace=steps((write, f"a {model} is stored")),
        fix=_declared(operation, 201, graph),
        routes=routes_of([operation]),
    )


def _declared(operation: PathOperation, status: int, graph: AppGraph) -> Fix | None:
    """`status_code=` as the last argument of the decorator."""
    call, scope = operation.registration
    place = scope.location(call)
    text = text_at(graph, place)
    if not text.endswith(")") or not (call.args or call.keywords):
        return None
    inner = text[:-1].rstrip()
    if inner.endswith(",") or "\n" in text:
        return None
    end = Location(place.path, place.end_line, place.end_column - 1)
    return Fix(f"Answer {status}", (Edit(end, f", status_code={status}"),), safe=True, changes_contract=True)


def _deleted(operation: PathOperation, handler: Function, graph: AppGraph) -> Finding | None:
    """A DELETE that returns nothing and answers 200 with `null`."""
    if (
        operation.methods != ("DELETE",)
        or operation.status_code is not None
        or "status_code" in operation.keywords
    ):
        return None
    if _sets_status(operation, handler) or "response_class" in operation.keywords or not handler.body:
        return None
    if any(not _is_none(site.node.value) for site in _returns(handler)) or handler.is_generator:
        return None
    if all(s.__class__ is ir.Raise or getattr(s, "kind", "") == "pass" for s in handler.body):
        return None
    return rule.at(
        handler,
        f"`{operation}` ({handler.name}) returns nothing and answers 200 with the body `null`.",
        f"Say that there is no content:\n```python\n"
        f"{registered(graph, operation, keywords={'status_code': '204'}, returns='None')}\n```",
        reasoning="204 tells a client not to wait for or parse a body (RFC 9110, section 15.3.5).",
        exploit=f"A client of `{operation}` waits for a body, parses it and finds `null`.",
        confidence=Confidence.CERTAIN,
        fix=_declared(operation, 204, graph),
        routes=routes_of([operation]),
    )


rule.bad = """
    from fastapi import FastAPI

    app = FastAPI()
    BOOKS = {1: "Dune"}


    @app.get("/books/{book_id}")
    def read_book(book_id: int) -> dict[str, str]:  # finding: status-code-does-not-match-effect
        if book_id not in BOOKS:
            return {"error": "There is no such book."}
        return {"title": BOOKS[book_id]}


    @app.delete("/books/{book_id}")
    def delete_book(book_id: int) -> None:  # finding: status-code-does-not-match-effect
        BOOKS.pop(book_id, None)
"""

rule.good = """
    from fastapi import FastAPI, HTTPException

    app = FastAPI()
    BOOKS = {1: "Dune"}


    @app.get("/books/{book_id}")
    def read_book(book_id: int) -> dict[str, str]:
        if book_id not in BOOKS:
            raise HTTPException(404, "There is no such book.")
        return {"title": BOOKS[book_id]}


    @app.delete("/books/{book_id}", status_code=204)
    def delete_book(book_id: int) -> None:
        BOOKS.pop(book_id, None)
"""


@rule.symptom
def a_deletion_answers_with_null(proof: Proof) -> None:
    """A missing book is a success, and a deletion has the body `null`."""
    answer = proof.client.delete("/books/7")
    assert (answer.status_code, answer.text) == (200, "null")
