"""Passwords or codes can be tried without any limit.

A code of six digits falls after half a million tries, a common password after a few hundred. Without a limit on
attempts that is a matter of minutes, and of nothing but patience.

Known limits: a limiter is recognised by its decorator, dependency, middleware or counter, and by names such as `limit`
and `throttle`; one in front of the application is declared in `[tool.fastapi-architect.project]` as
`gateway.rate-limit`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch

from fastapi_architect.analyses.own_code import registered
from fastapi_architect.concepts.cache import RedisCommand
from fastapi_architect.concepts.identity import PasswordVerify
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

_LIMITS = lazy_pattern(
    r"slowapi|limit(?!_?(offset|param|query|size))|throttl|slow_?down|captcha|turnstile|lock(ed)?_?out|brute|attempts|backoff",
    re.IGNORECASE,
)
_COUNTS = lazy_pattern(
    r"fail(ed|ure)?_?(login|attempt|count)|login_?(attempt|fail)|attempts?(_?(left|count))?$|locked_?(until|at)|lockout",
    re.IGNORECASE,
)
_COUNTERS = frozenset({"incr", "incrby", "hincrby", "zadd"})
_DEPTH = 4
_MOST = 80


@rule.check(per=Application)
def attempts_without_a_limit(application: Application, graph: AppGraph) -> Iterator[Finding]:
    verifiers = _verifiers(graph)
    if not verifiers or _is_limited_as_a_whole(graph, application):
        return
    open_ones: list[PathOperation] = []
    limited = False
    for operation in application.operations:
        if operation.handler is None or operation.is_websocket or graph.access(operation).authenticated:
            continue
        functions = _below(graph, operation)
        if not any(id(f) in verifiers for f in functions):
            continue
        if _is_limited(graph, operation, functions):
            limited = True
        elif not _is_covered(graph, operation):
            open_ones.append(operation)
    if open_ones and not limited:
        yield _finding(open_ones, graph)
        return
    for operation in open_ones:
        yield _finding([operation], graph)


def _is_limited_as_a_whole(graph: AppGraph, application: Application) -> bool:
    """A middleware limits requests; also one that is added where the application cannot be followed to."""
    if any(_LIMITS.search(m.name.rpartition(".")[2]) for m in application.middleware):
        return True
    added = [
        site.node.args
        for site in graph.program.call_sites_named("add_middleware")
        if site.scope.module.kind != "test"
    ]
    return any(_LIMITS.search(last_name(given[0])) for given in added if given)


def _verifiers(graph: AppGraph) -> set[int]:
    """Functions that test a password or a code."""
    found = {id(v.function) for v in graph.facts(PasswordVerify) if v.function is not None}
    totp = graph.program.call_sites(["pyotp.TOTP.verify", "pyotp.HOTP.verify", "pyotp.totp.TOTP.verify"])
    return found | {id(site.scope) for site, _ in totp}


def _below(graph: AppGraph, operation: PathOperation) -> list[Function]:
    """Functions that run for an operation, dependencies first, a few calls deep."""
    found = {id(f): f for f in operation.functions}
    frontier = list(found.values())
    for _ in range(_DEPTH):
        following = [t for f in frontier for site in f.facts.calls for t in graph.program.calls.targets(site)]
        frontier = [f for f in dict.fromkeys(following) if id(f) not in found][:_MOST]
        found.update((id(f), f) for f in frontier)
    return list(found.values())


def _is_limited(graph: AppGraph, operation: PathOperation, functions: list[Function]) -> bool:
    handler = operation.handler
    assert handler is not None
    decorators = [d.func if d.__class__ is ir.Call else d for d in handler.node.decorators]
    if any(_LIMITS.search(last_name(d)) for d in decorators):
        return True
    if any(
        _LIMITS.search(d.name.rpartition(".")[2]) or _LIMITS.search(_written(d.provider))
        for d in operation.all_dependencies()
    ):
        return True
    return any(_counts(graph, function) for function in functions)


def _written(expr: ir.Expr | None) -> str:
    if expr is None:
        return ""
    return last_name(expr.func if expr.__class__ is ir.Call else expr)


def _counts(graph: AppGraph, function: Function) -> bool:
    """The function limits, or counts what failed: in a row, in Redis, or by calling something named so."""
    if _LIMITS.search(function.name) or any(
        _LIMITS.search(last_name(s.node.func)) for s in function.facts.calls if _about_requests(s.node)
    ):
        return True
    called = {id(site.node.func) for site in function.facts.calls}
    if any(
        _COUNTS.search(s.node.attr) for s in function.facts.sites(ir.Attribute) if id(s.node) not in called
    ):
        return True
    return any(command.command in _COUNTERS for command in graph.within(RedisCommand, function))


def _about_requests(call: ir.Call) -> bool:
    """`select(...).limit(1)` limits rows, not requests."""
    return (
        last_name(call.func) not in ("limit", "with_limit")
        or not call.args
        or call.args[0].__class__ is not ir.Constant
    )


def _is_covered(graph: AppGraph, operation: PathOperation) -> bool:
    patterns = [*graph.project.gateway.get("rate-limit", ()), *graph.project.gateway.get("rate_limit", ())]
    return any(fnmatch(operation.path, pattern) for pattern in patterns)


def _finding(operations: list[PathOperation], graph: AppGraph) -> Finding:
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
        exploit=f"Send `{first}` once for each of the ten thousand commonest passwords: every attempt is answered.",
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
