"""Passwords or codes can be tried without any limit.

A code of six digits falls after half a million tries, a common password after a few hundred. Without a limit on
attempts that is a matter of minutes, and of nothing but patience.

A code counts when the program makes it itself from so few characters that all of them can be tried.

Known limits: a limiter is recognised by its decorator, dependency, middleware or counter, and by names such as `limit`
and `throttle`; one in front of the application is declared in `[tool.fastapi-architect.project]` as
`gateway.rate-limit`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.own_code import registered
from fastapi_architect.analyses.rate_limits import is_limited_as_a_whole, unlimited
from fastapi_architect.analyses.short_codes import code_checks
from fastapi_architect.concepts.identity import PasswordVerify
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Context,
    Finding,
    PathOperation,
    Proof,
    Rule,
    Severity,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Passwords or codes can be tried without a limit",
    severity=Severity.IMPORTANT,
    cwe=307,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:L/A:N",
    references=(
        "https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/",
        "https://cheatsheetseries.owasp.org/cheatsheets/Authentication_Cheat_Sheet.html#protect-against-automated-attacks",
    ),
    requires=("argon2-cffi",),
)


@rule.check(per=Application)
def attempts_without_a_limit(application: Application, graph: AppGraph) -> Iterator[Finding]:
    if is_limited_as_a_whole(graph, application):
        return
    told: set[int] = set()
    for tests, tries in (
        (_verifiers(graph), "each of the ten thousand commonest passwords"),
        (frozenset(code_checks(graph)), "every code there can be"),
    ):
        open_ones, limited = unlimited(application, graph, tests)
        open_ones = [o for o in open_ones if id(o.handler) not in told]
        told |= {id(o.handler) for o in open_ones}
        for group in [[o] for o in open_ones] if limited else [open_ones] if open_ones else []:
            yield _finding(group, graph, tries)


def _verifiers(graph: AppGraph) -> frozenset[int]:
    """Functions that test a password or the code of an authenticator."""
    found = {id(v.function) for v in graph.facts(PasswordVerify) if v.function is not None}
    totp = graph.program.call_sites(["pyotp.TOTP.verify", "pyotp.HOTP.verify", "pyotp.totp.TOTP.verify"])
    return frozenset(found | {id(site.scope) for site, _ in totp})


def _finding(operations: list[PathOperation], graph: AppGraph, tries: str) -> Finding:
    first = next(
        (o for o in operations if re.search(r"log_?in|token|sign_?in|auth", o.path, re.IGNORECASE)),
        operations[0],
    )
    assert first.handler is not None
    others = len(operations) - 1
    more = f" (and {others} more without a limit)" if others else ""
    limited = registered(graph, first, keywords={"dependencies": "[Depends(limit_attempts)]"})
    return rule.at(
        first.handler,
        f"`{first}` ({first.handler.name}) tests passwords or codes as often as somebody asks{more}.",
        "Limit attempts by account and by address, before the password is tested:\n"
        f"```python\n{limited}\n```",
        reasoning="No decorator, dependency, middleware or counter on the way refuses the next attempt.",
        exploit=f"Send `{first}` once for {tries}: every attempt is answered.",
        confidence=Confidence.FIRM,
        trace=steps(
            *((o.handler, f"{o} tests a password or code") for o in operations[:8] if o.handler is not None)
        ),
        routes=routes_of(operations),
        context=Context(access="none", data="personal", writes=None),
    )


_HEAD = """
    from typing import Annotated

    from argon2 import PasswordHasher
    from argon2.exceptions import VerifyMismatchError
    from fastapi import Depends, FastAPI, Form, HTTPException, Request

    hasher = PasswordHasher(time_cost=1, memory_cost=64)
    stored = hasher.hash("dragon")
    app = FastAPI()
"""

rule.bad = (
    _HEAD
    + """
    @app.post("/login")
    def log_in(password: Annotated[str, Form()]) -> str:  # finding: login-or-otp-without-throttling
        try:
            hasher.verify(stored, password)
        except VerifyMismatchError:
            raise HTTPException(401) from None
        return "welcome"
"""
)

rule.good = (
    _HEAD
    + """
    attempts: dict[str, int] = {}

    def limit_attempts(request: Request) -> None:
        address = request.client.host if request.client else ""
        attempts[address] = attempts.get(address, 0) + 1
        if attempts[address] > 10:
            raise HTTPException(429)

    @app.post("/login", dependencies=[Depends(limit_attempts)])
    def log_in(password: Annotated[str, Form()]) -> str:
        try:
            hasher.verify(stored, password)
        except VerifyMismatchError:
            raise HTTPException(401) from None
        return "welcome"
"""
)


@rule.exploit
def the_right_password_after_many_wrong_ones(proof: Proof) -> None:
    """Thirty wrong passwords later the right one is still tested, and lets the attacker in."""
    guesses = [f"wrong-{number}" for number in range(30)] + ["dragon"]
    answers = [proof.client.post("/login", data={"password": guess}).status_code for guess in guesses]
    assert answers == [401] * 30 + [200]
