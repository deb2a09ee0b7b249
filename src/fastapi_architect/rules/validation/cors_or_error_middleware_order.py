"""A middleware outside the CORS middleware answers requests by itself, without CORS headers.

Middleware added last runs first. When authentication, rate limiting or an error handler lies outside
`CORSMiddleware` and answers with 401, 429 or 500, that answer carries no `Access-Control-Allow-Origin`: the
browser hides it, and the page reports a network error instead of "please log in". Preflight requests, which
never carry a token, are refused as well.

Known limits: the order is judged where one body adds both; `app.middleware` lists given to `FastAPI(...)`
are read too. An answer under a condition on the `User-Agent` is for programs that say who they are, not for pages, and one
to a wrong `Host` is for nobody who asked for this service: host guards belong outside.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.made_of import site_of
from fastapi_architect.analyses.source_text import block_of, lines_of, text_at
from fastapi_architect.appgraph.middleware import Middleware
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Edit,
    Finding,
    Fix,
    Function,
    Instance,
    Location,
    Proof,
    Rule,
    Severity,
    Site,
    ir,
    last_name,
    options,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A middleware outside CORS answers without CORS headers",
    severity=Severity.IMPORTANT,
    cwe=696,
    references=(
        "https://fastapi.tiangolo.com/tutorial/middleware/#multiple-middleware-execution-order",
        "https://fetch.spec.whatwg.org/#http-cors-protocol",
    ),
)

_CORS = "starlette.middleware.cors.CORSMiddleware"
_ANSWERS = {
    "starlette.middleware.authentication.AuthenticationMiddleware": "400 or 401",
    "slowapi.middleware.SlowAPIMiddleware": "429",
    "slowapi.middleware.SlowAPIASGIMiddleware": "429",
}
_AGENT = "user-agent"
_HOST = "host"
_RESPONSE = "starlette.responses.Response"


@rule.check(per=Application)
def middleware_that_answers_outside_cors(application: Application, graph: AppGraph) -> Iterator[Finding]:
    cors = next((m for m in application.middleware if _is_cors(m)), None)
    if cors is None:
        return
    by_hand = False
    for outer in application.middleware[: cors.position]:
        by_hand = by_hand or (outer.function is not None and _names_the_header(outer, outer.function))
        if outer.scope is not cors.scope or (outer.conditional and not cors.conditional):
            continue
        answered = _answer(outer, graph)
        if answered is not None:
            yield _finding(application, cors, outer, answered, graph, by_hand=by_hand)
            return


def _is_cors(middleware: Middleware) -> bool:
    return (
        middleware.name == _CORS or _CORS in middleware.bases or middleware.name.endswith(".CORSMiddleware")
    )


def _answer(middleware: Middleware, graph: AppGraph) -> tuple[Location, str] | None:
    """Where a middleware answers without asking the application; None when it always passes on."""
    status = next((_ANSWERS[name] for name in (middleware.name, *middleware.bases) if name in _ANSWERS), None)
    if status is not None:
        return middleware.location, f"it answers {status} by itself"
    function = middleware.function
    if function is None or function.module.kind == "test" or _names_the_header(middleware, function):
        return None
    for site in function.facts.sites(ir.Return):
        if (
            site.node.value is not None
            and _is_own_response(site.node.value, function, graph)
            and not _is_for_some_programs(site, function, graph)
        ):
            return function.location(site.node), "it returns a response of its own"
    for site in function.facts.calls:
        # `await response(scope, receive, send)` of an ASGI middleware
        if site.awaited and len(site.node.args) == 3 and _is_response(site.node.func, function, graph):
            return function.location(site.node), "it sends a response of its own"
    return None


def _is_for_some_programs(site: Site, function: Function, graph: AppGraph) -> bool:
    """A condition around it depends on the `Host`, or on the `User-Agent`, read here or by a function that is asked for it."""
    tests = [c.node.test for c in site.context if c.role in ("if", "else") and isinstance(c.node, ir.If)]
    names = {n.id for test in tests for n in walk(test) if isinstance(n, ir.Name)}
    asked = [b.value for name in names for b in function.facts.bindings.get(name, ()) if b.value is not None]
    for expr in (*tests, *asked):
        for each in walk(expr):
            if isinstance(each, ir.Constant) and str(each.value).lower() in (_AGENT, _HOST):
                return True
            call = site_of(each, function) if isinstance(each, ir.Call) else None
            for target in graph.program.calls.targets(call) if call is not None else ():
                if _AGENT in text_at(graph, block_of(target)).lower():
                    return True
    return False


def _names_the_header(middleware: Middleware, function: Function) -> bool:
    """It writes the CORS header itself, to a response or among the headers of one."""
    functions = (function,) if middleware.cls is None else middleware.cls.functions
    for each in functions:
        for site in each.facts.sites(ir.Assign):
            keys = [t.slice for t in site.node.targets if t.__class__ is ir.Subscript]
            if any(_is_the_header(key) for key in keys):
                return True
        written = (b.value for bindings in each.facts.bindings.values() for b in bindings)
        if any(isinstance(d, ir.Dict) and any(k and _is_the_header(k) for k in d.keys) for d in written):
            return True  # `headers = {"access-control-allow-origin": "*"}`
        for site in each.facts.calls:
            given = (*site.node.args, *(k.value for k in site.node.keywords))
            if last_name(site.node.func) != "get" and any(_is_the_header(n) for g in given for n in walk(g)):
                return True
    return False


def _is_the_header(expr: ir.Expr) -> bool:
    return expr.__class__ is ir.Constant and str(expr.value).lower() == "access-control-allow-origin"


def _is_own_response(value: ir.Expr, function: Function, graph: AppGraph) -> bool:
    return not _is_passed_on(value, function) and _is_response(value, function, graph)


def _is_passed_on(value: ir.Expr, function: Function) -> bool:
    """The result of `call_next`, in a variable or at once."""
    if isinstance(value, ir.Await):
        value = value.value
    next_name = function.parameters[-1].name if function.parameters else "call_next"
    if isinstance(value, ir.Call):
        return last_name(value.func) in (next_name, "call_next", "dispatch")
    if not isinstance(value, ir.Name):
        return False
    bindings = function.facts.bindings.get(value.id, ())
    return any(
        b.value is not None and _is_passed_on(b.value, function) for b in bindings if b.value is not value
    )


def _is_response(expr: ir.Expr, function: Function, graph: AppGraph) -> bool:
    hierarchy = graph.program.inference.hierarchy
    found = list(options(graph.program.inference.type_of(expr, function)))
    return bool(found) and all(
        isinstance(o, Instance) and hierarchy.is_subclass(o.cls, _RESPONSE) for o in found
    )


def _finding(
    application: Application,
    cors: Middleware,
    outer: Middleware,
    answered: tuple[Location, str],
    graph: AppGraph,
    *,
    by_hand: bool,
) -> Finding:
    name = outer.name.rpartition(".")[2]
    place, how = answered
    return rule.at(
        cors.location,
        f"`{name}` runs outside `CORSMiddleware` ({outer.location}), and {how}: browsers hide that answer from pages of "
        "other origins, because it has no CORS headers.",
        f"Add CORSMiddleware last, so that it runs first:\n```python\n{application.name}.add_middleware({name})\n"
        f"{application.name}.add_middleware(CORSMiddleware, allow_origins=[...])\n```",
        reasoning="The middleware added last is outermost; only what passes through CORSMiddleware gets its headers.",
        exploit=f"A page of another origin asks `{application.name}` and is answered by `{name}`: its script sees "
        "a network error, not the status.",
        confidence=_confidence(cors, outer, by_hand=by_hand),
        trace=steps((outer.location, f"{name} is added behind CORS, and so runs before it"), (place, how)),
        fix=_moved(application, cors, graph),
        symbol=cors.scope.full_name,
    )


def _confidence(cors: Middleware, outer: Middleware, *, by_hand: bool) -> Confidence:
    """A middleware further out that writes the header by hand may write it to this answer, too."""
    if by_hand:
        return Confidence.TENTATIVE
    return Confidence.FIRM if cors.conditional or outer.conditional else Confidence.CERTAIN


def _moved(application: Application, cors: Middleware, graph: AppGraph) -> Fix | None:
    """The `add_middleware(CORSMiddleware, ...)` statement put behind the last middleware of the same body."""
    last = application.middleware[0]
    if cors.conditional or last.conditional or last.scope is not cors.scope:
        return None
    call = next((s for s in cors.scope.facts.calls if cors.scope.location(s.node) == cors.location), None)
    if (
        call is None
        or last_name(call.node.func) != "add_middleware"
        or call.context.role != "statement-value"
    ):
        return None
    place = cors.location
    lines = lines_of(graph, place.path)
    alone = (
        lines[place.end_line - 1].encode()[place.end_column :].decode().partition("#")[0].strip() == ""
        if lines
        else False
    )
    if not alone:
        return None
    decorated = last.function is not None and last.cls is None
    behind = block_of(last.function) if decorated and last.function is not None else last.location
    indent = " " * place.column
    text = text_at(graph, place)
    # A comment behind the call goes with its line, because it speaks about the call.
    gone = Edit(Location(place.path, place.line, 0, place.end_line + 1, 0), "")
    end = Location(behind.path, behind.end_line + 1, 0)
    if end.line > len(lines):
        return None
    gap = "\n\n" if decorated else ""
    return Fix("Add CORSMiddleware last", (gone, Edit(end, f"{gap}{indent}{text}\n")), safe=True)


rule.bad = """
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI, Request, Response
    from fastapi.middleware.cors import CORSMiddleware
    from fastapi.responses import JSONResponse

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])  # finding: cors-or-error-middleware-order


    @app.middleware("http")
    async def require_key(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.headers.get("X-Key") != "open":
            return JSONResponse({"detail": "The key is missing."}, status_code=401)
        return await call_next(request)


    @app.get("/books")
    def list_books() -> list[str]:
        return ["Dune"]
"""

rule.good = """
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI, Request, Response
    from fastapi.middleware.cors import CORSMiddleware
    from fastapi.responses import JSONResponse

    app = FastAPI()


    @app.middleware("http")
    async def require_key(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.headers.get("X-Key") != "open":
            return JSONResponse({"detail": "The key is missing."}, status_code=401)
        return await call_next(request)


    app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])


    @app.get("/books")
    def list_books() -> list[str]:
        return ["Dune"]
"""


@rule.symptom
def the_page_cannot_read_the_refusal(proof: Proof) -> None:
    """The 401 has no CORS header, so that the page sees a network error."""
    answer = proof.client.get("/books", headers={"Origin": "https://shop.example"})
    assert answer.status_code == 401
    assert "access-control-allow-origin" not in answer.headers
