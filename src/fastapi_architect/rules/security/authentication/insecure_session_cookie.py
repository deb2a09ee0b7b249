"""The cookie that stands for a signed-in user travels unprotected or can be read by scripts.

Without `secure` a browser sends it over plain HTTP as well, where whoever listens takes it. Without `httponly` an
injected script reads it. With `samesite="none"` every other site's requests carry it. Starlette sets neither of the
first two by itself, and SessionMiddleware has `https_only=False` by default.

Known limits: cookies are known by their names. A flag bound to a setting is taken to be on where it counts. The cookie
of a CSRF check is no session: scripts have to read it, and without `secure` it is tentative. Flags in a mapping
(`set_cookie(**params)`) are read where it is written out beside the call, or is appended to the list that the call goes over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.cookies_from_mappings import cookies_of
from fastapi_architect.analyses.cors import cors_policies
from fastapi_architect.appgraph.middleware import Middleware
from fastapi_architect.concepts.http import CookieSet
from fastapi_architect.program.definitions import Scope
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Context,
    Finding,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    lazy_pattern,
    names_in,
    steps,
)

rule = Rule(
    __name__,
    "A session cookie lacks the flags that protect it",
    severity=Severity.IMPORTANT,
    cwe=614,
    cvss="AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:L/A:N",
    references=(
        "https://fastapi.tiangolo.com/advanced/response-cookies/",
        "https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html#cookies",
        "https://www.starlette.io/middleware/#sessionmiddleware",
    ),
)

_SESSION = lazy_pattern(
    r"sess|auth|token|jwt|^sid$|refresh|access|remember|login|credential|csrf|xsrf|api_?key|user_?id",
    re.IGNORECASE,
)
_CSRF = lazy_pattern(r"csrf|xsrf", re.IGNORECASE)
_HARMLESS = lazy_pattern(
    r"^(is|has|was)_|(credential|auth)_id$|_expired$|theme|locale|lang|consent|banner|(method|provider|hint)$|last_|state$|nonce|pkce|verifier|redirect|next_url|captcha",
    re.IGNORECASE,
)


@rule.check(per=CookieSet)
def cookie_without_flags(cookie: CookieSet, graph: AppGraph) -> Iterator[Finding]:
    if cookie.scope.module.kind != "source":
        return
    if any(k.arg is None for k in cookie.node.keywords):
        found = (_judged(each.cookie, each.written, graph) for each in cookies_of(cookie, graph))
        yield from [each for each in found if each is not None][:1]
        return
    judged = _judged(cookie, cookie.scope, graph)
    if judged is not None:
        yield judged


def _judged(cookie: CookieSet, written: Scope, graph: AppGraph) -> Finding | None:
    """What is wrong with one cookie whose name and flags are written in a body; None when nothing is."""
    name, sure = _name(cookie, written, graph)
    if not name:
        return None
    lacking = []
    if _is_off(cookie.secure):
        lacking.append("secure=True")
    if _is_off(cookie.httponly) and not _CSRF.search(name):
        lacking.append("httponly=True")
    if cookie.samesite is not None and _is_none(cookie.samesite, written, graph):
        lacking.append('samesite="lax"')
    if not lacking or _is_emptied(cookie):
        return None
    if _CSRF.search(name) or (lacking == ['samesite="lax"'] and _may_be_meant(graph)):
        sure = Confidence.TENTATIVE
    return _of_cookie(cookie, name, lacking, sure)


def _may_be_meant(graph: AppGraph) -> bool:
    """Pages of other sites may send credentials: without `samesite="none"` they could not stay signed in."""
    return any(
        policy.credentials is not False
        for application in graph.applications
        for policy in cors_policies(application, graph)
    )


def _name(cookie: CookieSet, written: Scope, graph: AppGraph) -> tuple[str, Confidence]:
    """The cookie's name when it stands for a session; by the names of its value where its own is not known."""
    known = graph.program.constants.string(cookie.key, written)
    if known is not None:
        return (known if _SESSION.search(known) and not _HARMLESS.search(known) else ""), Confidence.CERTAIN
    names = " ".join(names_in(cookie.key))
    if _SESSION.search(names) and not _HARMLESS.search(names):
        return last_name(cookie.key) if cookie.key is not None else "", Confidence.FIRM
    return "", Confidence.FIRM


def _is_off(flag: ir.Expr | None) -> bool:
    """Missing, or written as False; anything computed is taken to be on where it counts."""
    return flag is None or (flag.__class__ is ir.Constant and flag.value in (False, None))


def _is_none(expr: ir.Expr, scope: Scope, graph: AppGraph) -> bool:
    value = graph.program.constants.value(expr, scope)
    return isinstance(value, str) and value.lower() == "none" and expr.__class__ is ir.Constant


def _is_emptied(cookie: CookieSet) -> bool:
    """`set_cookie("session", "", max_age=0)` takes it back."""
    value, age = cookie.value, cookie.max_age
    empty = value is not None and value.__class__ is ir.Constant and value.value in ("", None)
    return empty or (age is not None and age.__class__ is ir.Constant and age.value == 0)


def _of_cookie(cookie: CookieSet, name: str, lacking: list[str], sure: Confidence) -> Finding:
    flags = " and ".join(f"`{flag}`" for flag in lacking)
    function = cookie.function.name if cookie.function is not None else "the module"
    return rule.at(
        cookie,
        f"`{function}` sets the cookie `{name}` without {flags}.",
        "Protect it, and bind `secure` to a setting if development runs without TLS:\n```python\n"
        f'response.set_cookie("{name}", value, secure=True, httponly=True, samesite="lax")\n```',
        reasoning=_why(lacking),
        exploit=_attack(lacking, name),
        confidence=sure if cookie.sure or sure is Confidence.TENTATIVE else Confidence.FIRM,
        trace=steps((cookie, f"{name} is set here")),
        context=Context(access=None, hard=True, data="secret"),
    )


def _why(lacking: list[str]) -> str:
    found = []
    if "secure=True" in lacking:
        found.append("without secure it also goes over plain HTTP")
    if "httponly=True" in lacking:
        found.append("without httponly every script of the page reads it")
    if 'samesite="lax"' in lacking:
        found.append("with samesite none requests of other sites carry it")
    return (", ".join(found)).capitalize() + "."


def _attack(lacking: list[str], name: str) -> str:
    if "secure=True" in lacking:
        return f"On a shared network one request to http:// is enough to read `{name}` and take the session over."
    if "httponly=True" in lacking:
        return f"A script that was injected into any page reads `{name}` and sends it away."
    return f"A page of another site sends requests that carry `{name}`."


@rule.check(per=Application)
def session_middleware_without_https(application: Application, graph: AppGraph) -> Iterator[Finding]:
    for middleware in application.middleware:
        if middleware.name != "starlette.middleware.sessions.SessionMiddleware":
            continue
        lacking = []
        if _is_off(middleware.keywords.get("https_only")):
            lacking.append("https_only=True")
        same = middleware.keywords.get("same_site")
        if same is not None and _is_none(same, middleware.scope, graph):
            lacking.append('same_site="lax"')
        if lacking:
            yield _of_middleware(application, middleware, lacking)


def _of_middleware(application: Application, middleware: Middleware, lacking: list[str]) -> Finding:
    flags = " and ".join(f"`{flag}`" for flag in lacking)
    return rule.at(
        middleware,
        f"The SessionMiddleware of `{application.name}` sets its cookie without {flags}.",
        f"Protect the session, and bind the flag to a setting if development runs without TLS:\n```python\n"
        f"{application.name}.add_middleware(SessionMiddleware, secret_key=secret_key, {', '.join(lacking)})\n```",
        reasoning="https_only is False by default: the session cookie also goes over plain HTTP.",
        exploit="On a shared network one request to http:// is enough to read the cookie and take the session over.",
        confidence=Confidence.CERTAIN,
        trace=steps((application, f"the application {application.name}"), (middleware, "its sessions")),
        context=Context(access="none", hard=True, data="secret"),
    )


rule.bad = """
    from fastapi import FastAPI, Response

    app = FastAPI()

    @app.post("/login")
    def log_in(response: Response) -> str:
        response.set_cookie("session_id", "s3ss10n")  # finding: insecure-session-cookie
        response.set_cookie("refresh_token", "r3fr3sh", httponly=True)  # finding: insecure-session-cookie
        return "welcome"
"""

rule.good = """
    from fastapi import FastAPI, Response

    app = FastAPI()

    @app.post("/login")
    def log_in(response: Response) -> str:
        response.set_cookie("session_id", "s3ss10n", secure=True, httponly=True)
        response.set_cookie("refresh_token", "r3fr3sh", secure=True, httponly=True)
        return "welcome"
"""


@rule.exploit
def the_cookies_go_over_plain_http(proof: Proof) -> None:
    """Neither the session nor the refresh token is marked secure, so a browser sends both over http://."""
    cookies = proof.client.post("/login").headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert not any("secure" in cookie.lower() for cookie in cookies)
