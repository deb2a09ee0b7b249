"""Pages are served without the headers that limit what a browser does with them.

Without a Content-Security-Policy an injected script runs, without `frame-ancestors` another site frames the page,
without `nosniff` an upload is run as a script.

Known limits: one finding for an application that serves HTML and sets none of these headers anywhere in its code.
Headers that a proxy sets are declared as `gateway = {"security-headers" = ["*"]}`. An API of JSON alone is not
reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.http import ResponseCreation
from fastapi_architect.concepts.template import TemplateRender
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Finding,
    Function,
    Location,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    lazy_pattern,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "Pages are served without security headers",
    severity=Severity.INFO,
    cwe=693,
    cvss="AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html",
        "https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CSP",
    ),
)

_HEADERS = frozenset(
    {"content-security-policy", "x-frame-options", "x-content-type-options", "referrer-policy"}
)
_BY_NAME = lazy_pattern(
    r"security_?headers|securityheaders|secure_?headers|helmet|^secure$|csp_?middleware|talisman",
    re.IGNORECASE,
)


@rule.check(per=Application)
def pages_without_headers(application: Application, graph: AppGraph) -> Iterator[Finding]:
    if graph.project.gateway.get("security-headers") or application.mounted:
        return
    if any(_BY_NAME.search(m.name.rpartition(".")[2]) for m in application.middleware):
        return
    page = _page(application, graph)
    if page is None or _sets_headers(application, graph):
        return
    yield rule.at(
        application,
        f"`{application.name}` serves HTML and sets no Content-Security-Policy, X-Frame-Options or "
        f"X-Content-Type-Options.",
        "Set them in one middleware:\n```python\n"
        f'@{application.name}.middleware("http")\n'
        "async def add_security_headers(request: Request, call_next):\n"
        "    response = await call_next(request)\n"
        "    response.headers[\"Content-Security-Policy\"] = \"default-src 'self'; frame-ancestors 'none'\"\n"
        '    response.headers["X-Content-Type-Options"] = "nosniff"\n'
        '    response.headers["Referrer-Policy"] = "same-origin"\n'
        "    return response\n```",
        reasoning="No middleware and no handler of the application names any of these headers.",
        exploit=f"Another site shows a page of `{application.name}` in a frame under its own buttons, and clicks land in the page.",
        confidence=Confidence.FIRM,
        trace=steps((page[0], page[1])),
    )


def _page(application: Application, graph: AppGraph) -> tuple[Location, str] | None:
    """Where HTML is served, and how; None when it is not."""
    for operation in application.operations:
        if (
            last_name(operation.keywords.get("response_class") or ir.Constant(0, "none", None))
            == "HTMLResponse"
        ):
            return operation.location, f"{operation} answers with HTML"
    wanted: tuple[type[Concept], ...] = (TemplateRender, ResponseCreation)
    for concept in wanted:
        for fact in graph.facts(concept):
            html = isinstance(fact, ResponseCreation) and fact.kind == "html"
            rendered = isinstance(fact, TemplateRender) and fact.is_response
            if (
                (html or rendered)
                and fact.scope.module.kind == "source"
                and _serves(application, fact.function, graph)
            ):
                return fact.location, "HTML is made here"
    for mount in application.mounts:
        if mount.kind == "static" and any(
            k.arg == "html" and graph.program.constants.value(k.value, mount.scope) is True
            for each in walk(mount.call)
            if each.__class__ is ir.Call
            for k in each.keywords
        ):
            return mount.location, f"{mount.path} serves HTML files"
    return None


def _serves(application: Application, function: Function | None, graph: AppGraph) -> bool:
    operations = graph.entries(function) if function is not None else ()
    return any(graph.application_of(o) is application for o in operations)


def _sets_headers(application: Application, graph: AppGraph) -> bool:
    """One of the headers is named in a middleware, or in a function that sets response headers."""
    functions: list[Function] = []
    for middleware in application.middleware:
        if middleware.cls is not None:
            functions += middleware.cls.functions
        elif middleware.function is not None:
            functions.append(middleware.function)
    functions += [f for m in functions for f in m.functions]
    functions += [f for o in application.operations for f in o.functions]
    return any(_names_header(f) for f in dict.fromkeys(functions)) or _names_header_at_module(
        application, graph
    )


def _names_header(function: Function) -> bool:
    for kind in (ir.Subscript, ir.Dict, ir.Call, ir.Sequence):
        for site in function.facts.sites(kind):
            if any(_is_header(n) for n in walk(site.node)):
                return True
    return False


def _names_header_at_module(application: Application, graph: AppGraph) -> bool:
    """A table of headers at module level: `HEADERS = {"X-Frame-Options": "DENY"}`."""
    modules = {m.function.module.path for m in application.middleware if m.function is not None}
    modules.add(application.module_path)
    for path in sorted(modules):
        for site in graph.program.modules[path].facts.sites(ir.Dict):
            if any(_is_header(k) for k in site.node.keys):
                return True
    return False


def _is_header(expr: ir.Expr | None) -> bool:
    if expr is None or expr.__class__ is not ir.Constant:
        return False
    return str(expr.value).lower().removeprefix("b'").strip("'") in _HEADERS


rule.bad = """
    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse

    app = FastAPI()  # finding: security-headers-absent

    @app.get("/transfer", response_class=HTMLResponse)
    def show_form() -> str:
        return "<form method=post><button>Send everything</button></form>"
"""

rule.good = """
    from fastapi import FastAPI, Request
    from fastapi.responses import HTMLResponse

    app = FastAPI()

    @app.middleware("http")
    async def add_security_headers(request: Request, call_next):
        response = await call_next(request)
        response.headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    @app.get("/transfer", response_class=HTMLResponse)
    def show_form() -> str:
        return "<form method=post><button>Send everything</button></form>"
"""


@rule.exploit
def any_site_may_frame_the_form(proof: Proof) -> None:
    """The page comes without a header that forbids other sites to frame it."""
    headers = proof.client.get("/transfer").headers
    assert "content-security-policy" not in headers
    assert "x-frame-options" not in headers
