"""Middleware that asks who is calling lets more paths through than meant.

`path.startswith("/status")` also lets /status-reports pass, `path.endswith(".js")` lets every path pass that a
caller ends so, and `"login" in path` lets through whatever has that word somewhere.

Known limits: the conditions of the middleware are computed for every route of the application. A route that is
guarded by a dependency as well is not reported, and neither is one that is public by its nature.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fastapi_architect.analyses.public_operations import is_public_by_nature
from fastapi_architect.appgraph.middleware import Middleware
from fastapi_architect.appgraph.middleware_paths import Passage
from fastapi_architect.appgraph.path_operations import path_converters
from fastapi_architect.rules.kit import (
    UNKNOWN,
    AppGraph,
    Application,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Scope,
    Severity,
    ir,
    last_name,
    lazy_pattern,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "Authentication middleware lets more paths through than meant",
    severity=Severity.CRITICAL,
    cwe=288,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://www.starlette.io/middleware/",
        "https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/",
    ),
)

_PRIVILEGED = lazy_pattern(
    r"admin|internal|manage|private|users?(/|$)|settings|secret|account", re.IGNORECASE
)


@rule.check(per=Application)
def too_many_exemptions(application: Application, graph: AppGraph) -> Iterator[Finding]:
    for middleware in application.middleware:
        if graph.guards.of_middleware(middleware) is None or middleware.function is None:
            continue
        found: dict[int, tuple[Passage, list[tuple[PathOperation, str]]]] = {}
        for operation in application.operations:
            reached = _passes(operation, middleware, graph)
            if reached is None or _is_meant(operation, middleware, graph):
                continue
            passage, path = reached
            found.setdefault(id(passage.decided_by), (passage, []))[1].append((operation, path))
        for passage, through in found.values():
            yield _finding(middleware, passage, through, graph)


def _is_meant(operation: PathOperation, middleware: Middleware, graph: AppGraph) -> bool:
    """Public on purpose, or guarded by something else too."""
    access = graph.access(operation)
    others = [g for g in access.guards if g.name != middleware.name]
    return bool(others or access.public_reason or is_public_by_nature(operation) or operation.is_websocket)


def _passes(operation: PathOperation, middleware: Middleware, graph: AppGraph) -> tuple[Passage, str] | None:
    """How an operation gets past the middleware although its path is not what was exempted, and by which path."""
    method = operation.methods[0]
    if method in ("OPTIONS", "WEBSOCKET") or "{?}" in operation.path:
        return None
    passage = graph.guards.passage(middleware, operation.path, method)
    if passage.kind == "passes":
        return (passage, operation.path) if _is_accident(operation.path, passage, graph) else None
    for path in _crafted(operation, middleware, graph):
        passage = graph.guards.passage(middleware, path, method)
        if passage.kind == "passes" and passage.decided_by is not None:
            return passage, path
    return None


def _is_accident(path: str, passage: Passage, graph: AppGraph) -> bool:
    """The path begins with an exempted path without being it or lying below it, or lies below and is privileged."""
    if passage.decided_by is None or passage.scope is None:
        return False
    exempted = [c for c in _texts(passage.decided_by, passage.scope, graph) if c.startswith("/")]
    if path in exempted or not any(_tests_prefix(e) for e in walk(passage.decided_by)):
        return False
    reaching = [c for c in exempted if path.startswith(c)]
    if not reaching:
        return False
    longest = max(reaching, key=len)
    rest = path.removeprefix(longest)
    below = longest.endswith("/") or rest.startswith("/")
    return not below or (longest != "/" and bool(_PRIVILEGED.search(rest))) or longest == "/"


def _tests_prefix(expr: ir.Expr) -> bool:
    return expr.__class__ is ir.Call and last_name(expr.func) in ("startswith", "match", "any", "search")


def _texts(expr: Any, scope: Scope, graph: AppGraph) -> list[str]:
    """Strings that a condition compares with, constants followed; parts of a string that is known are not listed."""
    value = graph.program.constants.value(expr, scope) if expr.__class__ in _VALUES else UNKNOWN
    if value is not UNKNOWN:
        return [v for v in (value if isinstance(value, list | tuple) else [value]) if isinstance(v, str)]
    parts = [getattr(expr, f, None) for f in ("left", "operand", "func", "value", "elt", "iter")]
    for field in ("values", "comparators", "args", "generators", "elts"):
        parts += getattr(expr, field, None) or []
    return [text for part in parts if isinstance(part, ir.Node) for text in _texts(part, scope, graph)]


_VALUES = (ir.Constant, ir.Name, ir.Attribute, ir.Sequence, ir.JoinedStr, ir.BinOp)


def _crafted(operation: PathOperation, middleware: Middleware, graph: AppGraph) -> Iterator[str]:
    """Paths of an operation whose free text ends with, or contains, what the middleware looks for."""
    free = [
        p.alias
        for p in operation.parameters
        if p.kind == "path" and getattr(p.type, "name", "") == "builtins.str"
    ]
    converters = path_converters(operation.path)
    if not free:
        return
    name = free[-1]
    for text in _looked_for(middleware, graph):
        if text.strip("/") and ("/" not in text.strip("/") or converters.get(name) == "path"):
            yield re.sub(r"{" + name + r"(:\w+)?}", "x" + text.strip("/"), operation.path)


def _looked_for(middleware: Middleware, graph: AppGraph) -> Iterator[str]:
    """Texts that are looked for anywhere in, or at the end of, the path."""
    functions: list[Function] = [middleware.function] if middleware.function is not None else []
    if middleware.cls is not None:
        functions = list(middleware.cls.functions)
    for function in functions:
        for site in function.facts.sites(ir.Compare):
            if site.node.ops[0] in ("in", "not in") and last_name(site.node.comparators[0]) in (
                "path",
                "url_path",
            ):
                yield from _texts(site.node.left, function, graph)
        for site in function.facts.calls_named("endswith"):
            for given in site.node.args:
                yield from _texts(given, function, graph)


def _finding(
    middleware: Middleware, passage: Passage, through: list[tuple[PathOperation, str]], graph: AppGraph
) -> Finding:
    assert passage.decided_by is not None
    assert passage.scope is not None
    operation, path = through[0]
    name = middleware.name.rpartition(".")[2]
    shown = ", ".join(f"`{o}`" for o, _ in through[:5])
    below = all(_lies_below(o, p, passage, graph) for o, p in through)
    public = f'"{path}"' if "{" not in path else '"/status"'
    return rule.at(
        passage.scope.location(passage.decided_by),
        f"`{name}` lets {shown} through without asking who is calling: the condition fits more than the paths it is "
        f"meant for.",
        "Compare whole paths, and end prefixes with a slash; better, put the guard on the routers and leave it off "
        "the public one:\n"
        f'```python\nPUBLIC_PATHS = {{"/health", "/docs"}}  # {public} is not among them\n\nif path in PUBLIC_PATHS:\n'
        "    ...\n```",
        reasoning=f"For {path} the condition holds, and the application is called before `{name}` tests the caller.",
        exploit=f"A stranger sends {operation.methods[0]} {path} and is answered.",
        confidence=Confidence.TENTATIVE if below else Confidence.FIRM,
        trace=steps(
            (middleware, f"{name} guards the application"),
            (passage.scope.location(passage.decided_by), f"{path} passes here"),
            *((o.handler, f"{o} is reached") for o, _ in through[:3] if o.handler is not None),
        ),
        routes=routes_of(o for o, _ in through),
        context=Context(access="none"),
    )


def _lies_below(operation: PathOperation, path: str, passage: Passage, graph: AppGraph) -> bool:
    """It passes because it lies below an exempted path: perhaps it is meant to."""
    if path != operation.path or passage.decided_by is None or passage.scope is None:
        return False
    exempted = [
        c
        for c in _texts(passage.decided_by, passage.scope, graph)
        if c.startswith("/") and path.startswith(c)
    ]
    return any(c.endswith("/") or path.removeprefix(c).startswith("/") for c in exempted if c != "/")


rule.bad = """
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

    app = FastAPI()

    @app.middleware("http")
    async def require_token(request: Request, call_next):
        if request.url.path.startswith("/status"):  # finding: middleware-path-allowlist-bypass
            return await call_next(request)
        if request.headers.get("Authorization") != "Bearer alice":
            return JSONResponse({"detail": "not authenticated"}, status_code=401)
        return await call_next(request)

    @app.get("/status")
    def read_status() -> str:
        return "running"

    @app.get("/status-reports")
    def list_reports() -> list[str]:
        return ["database password rotated"]
"""

rule.good = """
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

    PUBLIC_PATHS = {"/status"}
    app = FastAPI()

    @app.middleware("http")
    async def require_token(request: Request, call_next):
        if request.url.path in PUBLIC_PATHS:
            return await call_next(request)
        if request.headers.get("Authorization") != "Bearer alice":
            return JSONResponse({"detail": "not authenticated"}, status_code=401)
        return await call_next(request)

    @app.get("/status")
    def read_status() -> str:
        return "running"

    @app.get("/status-reports")
    def list_reports() -> list[str]:
        return ["database password rotated"]
"""


@rule.exploit
def a_stranger_reads_the_reports(proof: Proof) -> None:
    """/status-reports is answered without a token because it begins like /status."""
    assert proof.client.get("/status-reports").json() == ["database password rotated"]
