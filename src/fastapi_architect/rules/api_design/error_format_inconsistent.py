"""Errors of one API come in several shapes.

A client that has to look for `detail`, for `error` and for `message` handles none of them well. The most
common way to get there is a handler for `fastapi.HTTPException`: the router itself raises the class of
Starlette, from which FastAPI's inherits, so that 404 and 405 for unknown paths keep the old shape.

Known limits: shapes are compared by the keys of literals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fastapi_architect.analyses.http_errors import status_code
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.appgraph.applications import ExceptionHandler
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.http import HttpError, ResponseCreation
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    ClassRef,
    Confidence,
    Edit,
    Finding,
    Fix,
    Proof,
    Rule,
    Severity,
    ir,
    options,
    steps,
)

rule = Rule(
    __name__,
    "Errors of one API come in several shapes",
    severity=Severity.MINOR,
    cwe=436,
    references=(
        "https://www.rfc-editor.org/rfc/rfc9457.html",
        "https://fastapi.tiangolo.com/tutorial/handling-errors/#fastapis-httpexception-vs-starlettes-httpexception",
    ),
)

_FASTAPI = "fastapi.HTTPException"
_STARLETTE = "starlette.exceptions.HTTPException"
#: A shape that occurs once may be a slip; a second one is a habit.
_FEWEST_USES = 2


@rule.check(per=Application)
def shapes_of_errors(application: Application, graph: AppGraph) -> Iterator[Finding]:
    handled = {name: h for h in application.exception_handlers for name in _names(h, graph)}
    if _STARLETTE not in handled and _FASTAPI in handled and "404" not in handled:
        yield _half_handled(application, handled[_FASTAPI], graph)
    elif _STARLETTE not in handled and len(graph.applications) == 1:
        yield from _several_shapes(application, graph)


def _names(handler: ExceptionHandler, graph: AppGraph) -> Iterator[str]:
    if handler.exception is None:
        return
    number = status_code(graph, handler.exception, handler.scope)
    if number is not None:
        yield str(number)
    for option in options(graph.program.inference.type_of(handler.exception, handler.scope)):
        if isinstance(option, ClassRef):
            yield option.name


def _half_handled(application: Application, handler: ExceptionHandler, graph: AppGraph) -> Finding:
    name = handler.handler.name if handler.handler is not None else "answer_http_error"
    function = f"async def {name}(request, error): ..."
    if handler.handler is not None:
        taken = handler.handler.parameters[-1:]
        function = definition(
            graph, handler.handler, parameters={p.name: ("StarletteHTTPException", "") for p in taken}
        )
    return rule.at(
        handler,
        f"`{name}` shapes errors of `fastapi.HTTPException` only: 404 and 405 for unknown paths and methods are raised by the "
        f"router of `{application.name}` as Starlette's class and keep the shape `{{'detail': ...}}`.",
        "Handle the class that both inherit from:\n```python\n"
        "from starlette.exceptions import HTTPException as StarletteHTTPException\n\n\n"
        f"@{application.name}.exception_handler(StarletteHTTPException)\n{function}\n```",
        reasoning="fastapi.HTTPException is a subclass of starlette.exceptions.HTTPException; a handler for the subclass does "
        "not see the base class.",
        exploit=f"A client of `{application.name}` reads the shape that `{name}` makes, and finds another one for "
        "a path that does not exist.",
        confidence=Confidence.CERTAIN,
        fix=_base_class(handler, graph),
        symbol=handler.scope.full_name,
    )


def _base_class(handler: ExceptionHandler, graph: AppGraph) -> Fix | None:
    """The name of Starlette's class, where the module has imported it."""
    expr = handler.exception
    if expr is None or expr.__class__ is not ir.Name:
        return None
    for name, bindings in handler.scope.module.facts.bindings.items():
        of = graph.program.inference.name_type(name, handler.scope.module)
        if bindings[-1].kind == "from" and any(getattr(o, "name", "") == _STARLETTE for o in options(of)):
            return Fix(
                "Handle Starlette's HTTPException",
                (Edit(handler.scope.location(expr), name),),
                changes_contract=True,
            )
    return None


def _several_shapes(application: Application, graph: AppGraph) -> Iterator[Finding]:
    shapes: dict[str, list[Concept]] = defaultdict(list)
    for error in graph.facts(HttpError):
        if error.scope.module.kind == "source":
            shapes[_shape_of_detail(error.detail)].append(error)
    for response in graph.facts(ResponseCreation):
        number = status_code(graph, response.status, response.scope) or 0
        if number >= 400 and response.kind == "json" and response.scope.module.kind == "source":
            shapes[_keys(response.content)].append(response)
    used = {shape: places for shape, places in shapes.items() if shape and len(places) >= _FEWEST_USES}
    if len(used) < 2:
        return
    listed = sorted(used.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    shown = ", ".join(f"`{shape}` ({len(places)} times)" for shape, places in listed[:4])
    yield rule.at(
        application.location,
        f"Errors of `{application.name}` come in {len(listed)} shapes: {shown}.",
        "Give every error one shape, such as application/problem+json (RFC 9457), in one handler each for "
        "`StarletteHTTPException`, `RequestValidationError` and `Exception`.",
        reasoning="No exception handler brings HTTP errors into one form, and the code writes several by hand.",
        exploit=f"A client that reads `{listed[0][0]}` meets `{listed[1][0]}` at {listed[1][1][0].location} and shows nothing.",
        confidence=Confidence.FIRM,
        trace=steps(*((places[0], shape) for shape, places in listed[:5])),
        symbol=application.scope.full_name,
    )


def _shape_of_detail(detail: ir.Expr | None) -> str:
    if detail is None or detail.__class__ in (ir.Constant, ir.JoinedStr):
        return "{detail: text}"
    keys = _keys(detail)
    return f"{{detail: {keys}}}" if keys else ""


def _keys(content: ir.Expr | None) -> str:
    """The keys of a literal mapping; "" for anything else."""
    if content is None or content.__class__ is not ir.Dict or not content.keys:
        return ""
    keys = [str(k.value) for k in content.keys if k.__class__ is ir.Constant]
    if len(keys) != len(content.keys):
        return ""
    # More keys beside `detail` extend the framework's own shape, and its readers still find what they look for.
    return "{detail: text}" if "detail" in keys else "{" + ", ".join(sorted(keys)) + "}"


rule.bad = """
    from fastapi import FastAPI, HTTPException, Request
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException as StarletteHTTPException

    app = FastAPI()


    @app.exception_handler(HTTPException)  # finding: error-format-inconsistent
    async def problem(request: Request, error: StarletteHTTPException) -> JSONResponse:
        return JSONResponse({"title": error.detail}, error.status_code, media_type="application/problem+json")


    @app.get("/books/{book_id}")
    def read_book(book_id: int) -> int:
        raise HTTPException(404, "There is no such book.")
"""

rule.good = """
    from fastapi import FastAPI, HTTPException, Request
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException as StarletteHTTPException

    app = FastAPI()


    @app.exception_handler(StarletteHTTPException)
    async def problem(request: Request, error: StarletteHTTPException) -> JSONResponse:
        return JSONResponse({"title": error.detail}, error.status_code, media_type="application/problem+json")


    @app.get("/books/{book_id}")
    def read_book(book_id: int) -> int:
        raise HTTPException(404, "There is no such book.")
"""


@rule.symptom
def two_404s_look_different(proof: Proof) -> None:
    """The 404 of a missing book and the 404 of a missing path have different keys."""
    assert list(proof.client.get("/books/7").json()) == ["title"]
    assert list(proof.client.get("/nothing-here").json()) == ["detail"]
