"""Middleware of the simple kind does what only a handler may do.

An `HTTPException` that is raised in `@app.middleware("http")` or in `BaseHTTPMiddleware.dispatch` does not
become the answer it stands for: the handlers for exceptions lie further inside, so the client gets 500.
Reading `response.body_iterator` collects a whole stream in memory and ends server-sent events.

Known limits: exceptions raised in functions that the middleware calls are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.caught_around import is_caught
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.appgraph.middleware import Middleware
from fastapi_architect.concepts.http import HttpError, ResponseCreation
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    Site,
    ir,
    steps,
)

rule = Rule(
    __name__,
    "Middleware raises an HTTP error or reads a streamed body",
    severity=Severity.MINOR,
    cwe=664,
    references=(
        "https://www.starlette.io/middleware/#limitations",
        "https://fastapi.tiangolo.com/tutorial/middleware/",
    ),
)

_BASE = "starlette.middleware.base.BaseHTTPMiddleware"
_CATCHING = frozenset({"HTTPException", "StarletteHTTPException", "Exception", "BaseException"})
_STREAMS = frozenset({"streaming", "events"})


@rule.check(per=Application)
def hazards_of_simple_middleware(application: Application, graph: AppGraph) -> Iterator[Finding]:
    for middleware in application.middleware:
        function = middleware.function
        if function is None or function.module.kind != "source" or not _is_simple(middleware):
            continue
        for error in graph.within(HttpError, function):
            if error.site.statement.__class__ is ir.Raise and not is_caught(error.site, _CATCHING):
                yield _raises(error, function, graph)
        if any(r.kind in _STREAMS for r in graph.facts(ResponseCreation)):
            for site in function.facts.sites(ir.Attribute):
                if site.node.attr == "body_iterator" and site.context.inside("iter") is not None:
                    yield _reads(site, function, graph)


def _is_simple(middleware: Middleware) -> bool:
    return middleware.cls is None or _BASE in middleware.bases


def _raises(error: HttpError, function: Function, graph: AppGraph) -> Finding:
    body = (
        "# Bad: raise HTTPException(...)\n# Good\n"
        "return JSONResponse({'detail': 'not allowed'}, status_code=401)"
    )
    return rule.at(
        error.site,
        f"`{function.name}` is middleware and raises `HTTPException`: the client gets 500, not the status "
        f"that stands here.",
        "Return the answer:\n```python\nfrom fastapi.responses import JSONResponse\n\n\n"
        f"{definition(graph, function, body)}\n```",
        reasoning="Handlers of exceptions run inside the middleware stack; what middleware raises passes "
        "them by.",
        exploit=f"A client that `{function.name}` turns away is told 500, and the log has a traceback for each of them.",
        confidence=Confidence.CERTAIN,
        trace=steps((function, f"{function.name} is middleware"), (error, "the exception leaves it here")),
    )


def _reads(site: Site, function: Function, graph: AppGraph) -> Finding:
    body = (
        "response = await call_next(request)\n"
        "if response.headers.get('content-type', '').startswith('text/event-stream'):\n    return response"
    )
    return rule.at(
        site,
        f"`{function.name}` is middleware and reads `body_iterator`: streamed answers of this application "
        f"are collected in "
        "memory before the client gets their first byte.",
        "Leave streams alone, or write the middleware against ASGI, where each message passes by:\n"
        "```python\n"
        f"{definition(graph, function, body)}\n```",
        reasoning="The application has streaming routes, and their bodies are iterated over here until they "
        "end.",
        exploit=f"A client of a streaming route gets nothing until the stream is over; `{function.name}` holds all of it in memory.",
        confidence=Confidence.FIRM,
        trace=steps((function, f"{function.name} is middleware"), (site, "the body is read to its end here")),
    )


rule.bad = """
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI, HTTPException, Request, Response

    app = FastAPI()


    @app.middleware("http")
    async def require_key(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.headers.get("x-api-key") != "letmein":
            raise HTTPException(401, "no key")  # finding: base-http-middleware-hazard
        return await call_next(request)


    @app.get("/books")
    def list_books() -> list[str]:
        return []
"""

rule.good = """
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI, Request, Response
    from fastapi.responses import JSONResponse

    app = FastAPI()


    @app.middleware("http")
    async def require_key(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.headers.get("x-api-key") != "letmein":
            return JSONResponse({"detail": "no key"}, status_code=401)
        return await call_next(request)


    @app.get("/books")
    def list_books() -> list[str]:
        return []
"""


@rule.symptom
def the_refusal_becomes_a_server_error(proof: Proof) -> None:
    """A client without a key should be told 401 and is told 500."""
    assert proof.client.get("/books").status_code == 500
