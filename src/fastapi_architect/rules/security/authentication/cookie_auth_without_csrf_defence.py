"""Other sites send changes in the name of whoever is signed in.

A browser sends a cookie with a form that another site posts. Where the cookie is what signs somebody in, and a
change can be asked for by a plain form, an empty body or a GET, nothing tells the two apart but a CSRF token, a
comparison of Origin, or a header that forms cannot send.

Known limits: one finding for an application. SameSite lax or strict, which is the default, keeps most posts of other
sites away: the finding is minor then, unless a GET makes a change. JSON bodies count where the manifest names a
FastAPI before 0.132, which reads them whatever their content type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace
from packaging.version import Version

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.public_operations import is_public_by_nature
from fastapi_architect.concepts.http import CookieSet
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    lazy_pattern,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Changes are accepted from pages of other sites",
    severity=Severity.IMPORTANT,
    cwe=352,
    cvss="AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:H/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html",
        "https://fastapi.tiangolo.com/release-notes/",
    ),
)

_CREDENTIAL = lazy_pattern(r"sess|auth|token|jwt|sid|user|login|access", re.IGNORECASE)
_DEFENCE = lazy_pattern(r"csrf|xsrf|same_?origin|check_origin|verify_origin", re.IGNORECASE)
_CHECKS_CONTENT_TYPE = Version("0.132")


@rule.check(per=Application)
def changes_by_cookie_alone(application: Application, graph: AppGraph) -> Iterator[Finding]:
    if any(_DEFENCE.search(m.name) or _reads_origin(m.function) for m in application.middleware):
        return
    found = [(o, how) for o in application.operations if (how := _reachable(o, application, graph))]
    if not found:
        return
    by_get = [o for o, how in found if how == "a GET"]
    site = _same_site(graph)
    finding = _finding(application, found, site, bool(by_get))
    yield finding if by_get or site == "none" else replace(finding, severity=Severity.MINOR)


def _reachable(operation: PathOperation, application: Application, graph: AppGraph) -> str:
    """How another site's page asks for the change; "" when it cannot, or when no cookie signs in here."""
    if operation.handler is None or operation.kind != "http":
        return ""
    if not graph.access(operation).authenticated or not _signed_in_by_cookie(operation, graph):
        return ""
    if is_public_by_nature(operation):
        return ""
    if any(_DEFENCE.search(d.name) for d in operation.all_dependencies()) or _asks_for_header(operation):
        return ""
    if any(_reads_origin(f) for f in operation.functions):
        return ""
    if not operation.is_write:
        done = effects(graph).of_handler(operation)
        return "a GET" if done.writes and operation.methods == ("GET",) else ""
    if "POST" not in operation.methods:
        return ""
    kinds = {p.kind for p in operation.all_parameters()}
    if kinds & {"form", "file"}:
        return "a form"
    if "body" not in kinds:
        return "a form without fields"
    installed = graph.version("fastapi")
    lax = (
        graph.program.constants.value(application.keywords.get("strict_content_type"), application.scope)
        is False
    )
    return (
        "text that is read as JSON"
        if lax or (installed is not None and installed < _CHECKS_CONTENT_TYPE)
        else ""
    )


def _signed_in_by_cookie(operation: PathOperation, graph: AppGraph) -> str:
    """The cookie that a guard reads; "" when there is none, or a header does as well."""
    if any(_is_header_scheme(d.instance_of or d.name) for d in operation.all_dependencies()):
        return ""
    for guard in graph.access(operation).guards:
        dependency = guard.dependency
        for each in dependency.walk() if dependency is not None else ():
            if (each.instance_of or each.name).endswith("APIKeyCookie"):
                return "a cookie"
            cookie = next(
                (p.alias for p in each.parameters if p.kind == "cookie" and _CREDENTIAL.search(p.alias)), ""
            )
            if cookie:
                return cookie
            if each.function is not None and _reads_cookie(each.function):
                return "the session"
    return next(
        (p.alias for p in operation.parameters if p.kind == "cookie" and _CREDENTIAL.search(p.alias)), ""
    )


def _is_header_scheme(name: str) -> bool:
    return name.rpartition(".")[2].startswith(("OAuth2", "HTTPBearer", "APIKeyHeader", "HTTPDigest"))


def _reads_cookie(function: Function) -> bool:
    for site in function.facts.sites(ir.Attribute):
        if site.node.attr in ("session", "cookies") and last_name(site.node.value) in (
            "request",
            "req",
            "conn",
        ):
            return not any("authorization" in str(v).lower() for v in _strings(function))
    return False


def _strings(function: Function) -> Iterator[object]:
    for site in function.facts.calls:
        yield from (a.value for a in site.node.args if a.__class__ is ir.Constant)
    for site in function.facts.sites(ir.Subscript):
        if site.node.slice.__class__ is ir.Constant:
            yield site.node.slice.value


def _asks_for_header(operation: PathOperation) -> bool:
    """A required header that no form can send (`X-...`)."""
    return any(
        p.kind == "header"
        and p.required
        and p.alias.lower() not in ("user-agent", "referer", "accept", "cookie", "host")
        for p in operation.all_parameters()
    )


def _reads_origin(function: Function | None) -> bool:
    if function is None:
        return False
    return any(str(v).lower() in ("origin", "referer", "sec-fetch-site") for v in _strings(function))


def _same_site(graph: AppGraph) -> str:
    """The weakest SameSite of the cookies that stand for a session: none, else lax."""
    for cookie in graph.facts(CookieSet):
        name = graph.program.constants.string(cookie.key, cookie.scope) or ""
        value = (
            graph.program.constants.string(cookie.samesite, cookie.scope)
            if cookie.samesite is not None
            else None
        )
        if value is not None and value.lower() == "none" and (not name or _CREDENTIAL.search(name)):
            return "none"
    return "lax"


def _finding(
    application: Application, found: list[tuple[PathOperation, str]], site: str, by_get: bool
) -> Finding:
    operation, how = next(((o, h) for o, h in found if h == "a GET"), found[0]) if by_get else found[0]
    how = {"text that is read as JSON": "JSON sent as plain text"}.get(how, how)
    count = f"{len(found)} operations" if len(found) > 1 else f"`{operation}`"
    return rule.at(
        application,
        f"`{application.name}` signs in by cookie and has no defence against requests of other sites: {count} "
        f"{'make' if len(found) > 1 else 'makes'} the change that {how} asks for"
        f"{f', such as `{operation}`' if len(found) > 1 else ''}.",
        "Compare where a change comes from before it is made, and never change anything on a GET:\n```python\n"
        "def same_origin(request: Request) -> None:\n"
        '    if request.headers.get("origin") not in ALLOWED_ORIGINS:\n'
        "        raise HTTPException(status_code=403)\n\n\n"
        f"{application.name} = FastAPI(dependencies=[Depends(same_origin)])  # or on the routers that write\n```",
        reasoning=f"The browser sends the cookie (SameSite {site}) with {how} that another site submits.",
        exploit=f"A page of https://evil.example submits {how} to `{operation.path}`, and the visitor's account changes.",
        confidence=Confidence.FIRM,
        trace=steps(*((o.handler, f"{o} by {h}") for o, h in found[:5] if o.handler is not None)),
        routes=routes_of(o for o, _ in found),
        context=Context(access="none"),
    )


rule.bad = """
    from typing import Annotated

    from fastapi import Cookie, Depends, FastAPI, Form, HTTPException, Response

    SESSIONS = {"s3cret": "alice"}
    BALANCES = {"alice": 100}

    def current_user(session: Annotated[str, Cookie()] = "") -> str:
        if session not in SESSIONS:
            raise HTTPException(401)
        return SESSIONS[session]

    app = FastAPI()  # finding: cookie-auth-without-csrf-defence

    @app.post("/login")
    def log_in(response: Response) -> None:
        response.set_cookie("session", "s3cret", secure=True, httponly=True, samesite="none")

    @app.post("/transfers")
    def transfer(user: Annotated[str, Depends(current_user)], amount: Annotated[int, Form()]) -> int:
        BALANCES[user] -= amount
        return BALANCES[user]
"""

rule.good = """
    from typing import Annotated

    from fastapi import Cookie, Depends, FastAPI, Form, HTTPException, Request, Response

    SESSIONS = {"s3cret": "alice"}
    BALANCES = {"alice": 100}
    ALLOWED_ORIGINS = {"https://bank.example.com"}

    def same_origin(request: Request) -> None:
        if request.headers.get("origin") not in ALLOWED_ORIGINS:
            raise HTTPException(403)

    def current_user(session: Annotated[str, Cookie()] = "") -> str:
        if session not in SESSIONS:
            raise HTTPException(401)
        return SESSIONS[session]

    app = FastAPI()

    @app.post("/login")
    def log_in(response: Response) -> None:
        response.set_cookie("session", "s3cret", secure=True, httponly=True, samesite="none")

    @app.post("/transfers", dependencies=[Depends(same_origin)])
    def transfer(user: Annotated[str, Depends(current_user)], amount: Annotated[int, Form()]) -> int:
        BALANCES[user] -= amount
        return BALANCES[user]
"""


@rule.exploit
def another_site_moves_money(proof: Proof) -> None:
    """A form that https://evil.example submits, with the visitor's cookie, moves the visitor's money."""
    headers = {"Origin": "https://evil.example", "Cookie": "session=s3cret"}
    answer = proof.client.post("/transfers", data={"amount": "40"}, headers=headers)
    assert answer.status_code == 200
    assert answer.json() == 60
