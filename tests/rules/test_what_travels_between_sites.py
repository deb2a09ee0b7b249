"""A star with credentials weighs as much as what a browser sends along to another site's page."""

from __future__ import annotations

import textwrap

import pytest
from tests.rules.kit import findings_of, rule_named

from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.severity import Confidence, Severity

_APPLICATION = """
    from typing import Annotated

    from fastapi import Cookie, Depends, FastAPI, Response
    from fastapi.middleware.cors import CORSMiddleware
    from fastapi.security import APIKeyCookie, HTTPBasic, HTTPBearer
    from starlette.middleware.sessions import SessionMiddleware

    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)
    {middleware}


    @app.post("/login")
    def log_in(response: Response) -> None:
        {answer}


    @app.get("/me")
    def read_me({parameter}) -> str:
        return "me"
"""

_STAYS = [
    {"answer": 'response.set_cookie("session", "s3cret", samesite="strict")'},
    {"answer": 'response.set_cookie("session", "s3cret")'},
    {
        "answer": 'response.set_cookie("session", "s3cret", samesite="lax")',
        "parameter": "session: Annotated[str, Cookie()]",
    },
    {
        "answer": 'response.set_cookie("session", "s3cret", samesite="lax")',
        "parameter": 'key: Annotated[str, Depends(APIKeyCookie(name="session"))]',
    },
    {"answer": 'response.set_cookie("session", "s3cret", samesite="lax" if app.debug else "strict")'},
    {"middleware": 'app.add_middleware(SessionMiddleware, secret_key="k")'},
    {"parameter": "bearer: Annotated[str, Depends(HTTPBearer())]"},
]
_TRAVELS = [
    {"answer": 'response.set_cookie("session", "s3cret", samesite="none", secure=True)'},
    {"answer": 'response.set_cookie("session", "s3cret", samesite=app.state.same_site)'},
    {"answer": 'response.set_cookie("session", "s3cret", samesite="lax" if app.debug else "none")'},
    {"parameter": "session: Annotated[str, Cookie()]"},
    {
        "answer": 'response.set_cookie("theme", "dark", samesite="lax")',
        "parameter": "session: Annotated[str, Cookie()]",
    },
    {"parameter": 'key: Annotated[str, Depends(APIKeyCookie(name="session"))]'},
    {"middleware": 'app.add_middleware(SessionMiddleware, secret_key="k", same_site="none")'},
    {"parameter": "basic: Annotated[str, Depends(HTTPBasic())]"},
]


def _found(parts: dict[str, str]) -> Finding:
    filled = {"middleware": "", "answer": "pass", "parameter": "", **parts}
    known = rule_named("cors-wildcard-with-credentials")
    assert known is not None
    (finding,) = findings_of({"main.py": textwrap.dedent(_APPLICATION).format(**filled)}, known)
    return finding


@pytest.mark.parametrize("parts", _STAYS)
def test_what_stays_on_its_site_is_minor(parts: dict[str, str]) -> None:
    assert _found(parts).severity is Severity.MINOR


@pytest.mark.parametrize("parts", _TRAVELS)
def test_what_travels_is_important(parts: dict[str, str]) -> None:
    assert _found(parts).severity is Severity.IMPORTANT


def test_cookies_that_were_confined_make_the_star_tentative() -> None:
    assert _found(_STAYS[0]).confidence is Confidence.TENTATIVE


def test_the_star_alone_is_certain() -> None:
    assert _found({}).confidence is Confidence.CERTAIN
