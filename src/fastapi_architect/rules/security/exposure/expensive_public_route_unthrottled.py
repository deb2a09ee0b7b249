"""Anybody may start work that costs, as often as they like.

A language model, a text message or a payment is charged for by the call; mails reach other people and cost the sender's
reputation; a password hash holds a processor for a tenth of a second on purpose. Where nobody signs in and nothing counts, a
loop on somebody's laptop spends it all.

Known limits: a limiter is recognised by its decorator, dependency, middleware or counter, and by names such as `limit`,
`throttle`, `quota` and `captcha`; one in front of the application is declared in `[tool.fastapi-architect.project]` as
`gateway.rate-limit`. Work is followed four calls deep and into tasks that run after the answer, not into queues.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.expensive_work import ExpensiveWork, expensive_work
from fastapi_architect.analyses.own_code import registered
from fastapi_architect.analyses.provider_callbacks import is_provider_callback
from fastapi_architect.analyses.public_operations import callers_of
from fastapi_architect.analyses.rate_limits import below, is_covered, is_limited, is_limited_as_a_whole
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
    last_name,
    lazy_pattern,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Strangers may start expensive work without a limit",
    severity=Severity.IMPORTANT,
    cwe=770,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    references=(
        "https://owasp.org/API-Security/editions/2023/en/0xa4-unrestricted-resource-consumption/",
        "https://owasp.org/API-Security/editions/2023/en/0xa6-unrestricted-access-to-sensitive-business-flows/",
    ),
)

_WORDS = {
    "charged": "makes a charged call",
    "mail": "sends a mail",
    "hash": "works out a password hash that is slow on purpose",
    "computation": "computes for long",
}
_COSTS = {
    "charged": "every one of them stands on the bill",
    "mail": "every one of them is sent, to whoever the request names",
    "hash": "every one of them holds a processor, and the others wait",
    "computation": "every one of them holds a processor, and the others wait",
}
#: Other ways to say how much somebody may have.
_ALLOWANCE = lazy_pattern(r"quota|credits?(?![a-z])|budget|allowance|cool_?down|recaptcha", re.IGNORECASE)
#: A provider has checked somebody's code or token by then.
_SIGN_IN = lazy_pattern(
    r"oauth|callback|(?<![a-z])(sso|oidc|saml|google|github|facebook|microsoft|apple|linkedin)(?![a-z])",
    re.IGNORECASE,
)
_LISTED = 8


class _Open(msgspec.Struct, frozen=True, eq=False):
    """An operation that strangers may call, and the dearest thing it does."""

    operation: PathOperation
    work: ExpensiveWork


@rule.check(per=Application)
def work_without_a_limit(application: Application, graph: AppGraph) -> Iterator[Finding]:
    works = expensive_work(graph)
    if not works or is_limited_as_a_whole(graph, application):
        return
    found: list[_Open] = []
    limited = False
    for operation in application.operations:
        work = _work_of(operation, works, graph)
        if work is None:
            continue
        functions = below(graph, operation)
        if is_limited(graph, operation, functions) or _has_allowance(functions):
            limited = True
        elif _is_for_strangers(operation, application, graph):
            found.append(_Open(operation, work))
    if limited:
        yield from (_finding([each], graph, limited) for each in found)
    elif found:
        yield _finding(sorted(found, key=lambda each: each.work.rank), graph, limited)


def _work_of(
    operation: PathOperation, works: dict[int, ExpensiveWork], graph: AppGraph
) -> ExpensiveWork | None:
    """The dearest thing that an operation does for somebody who has not signed in."""
    if operation.handler is None or operation.is_websocket or graph.access(operation).authenticated:
        return None
    done = [works[id(f)] for f in below(graph, operation) if id(f) in works]
    return min(done, key=lambda work: work.rank, default=None)


def _has_allowance(functions: tuple[Function, ...]) -> bool:
    return any(
        _ALLOWANCE.search(f.name) or any(_ALLOWANCE.search(last_name(s.node.func)) for s in f.facts.calls)
        for f in functions
    )


def _is_for_strangers(operation: PathOperation, application: Application, graph: AppGraph) -> bool:
    """No gateway limits or asks, and the handler verifies nothing but a password, which is the work itself."""
    if _SIGN_IN.search(operation.path) or is_provider_callback(operation):
        return False
    callers = callers_of(graph)
    if is_covered(graph, operation) or callers.guarded_elsewhere(operation, application):
        return False
    return callers.proof_in_body(operation) in ("", "PasswordVerify")


def _confidence(found: list[_Open], limited: bool) -> Confidence:
    first = found[0]
    if first.operation.floating or first.operation.conditional or not first.work.sure:
        return Confidence.TENTATIVE
    # Where nothing limits anything, `login-or-otp-without-throttling` says so of the passwords.
    is_dear = first.work.kind in ("charged", "mail") or (first.work.kind == "hash" and limited)
    return Confidence.FIRM if is_dear else Confidence.TENTATIVE


def _finding(found: list[_Open], graph: AppGraph, limited: bool) -> Finding:
    operation, work = found[0].operation, found[0].work
    assert operation.handler is not None
    others = len(found) - 1
    more = f" (and {others} more without a limit)" if others else ""
    guarded = registered(graph, operation, keywords={"dependencies": "[Depends(limit_by_client)]"})
    return rule.at(
        operation.handler,
        f"`{operation}` ({operation.handler.name}) {_WORDS[work.kind]} for anybody, as often as they ask{more}.",
        "Limit how often one client may ask, before anything is done; a shared counter in Redis holds for all processes:\n"
        f"```python\n{guarded}\n```",
        reasoning=f"Nobody has to sign in, {last_name(work.place.node.func)}(...) is reached, and no decorator, dependency, "
        "middleware or counter on the way refuses the next request.",
        exploit=f"Send `{operation}` ten thousand times from a script: {_COSTS[work.kind]}.",
        confidence=_confidence(found, limited),
        trace=steps(
            (operation.handler, f"{operation} runs for everybody"),
            (work.place, f"{work.name} costs each time"),
            *(
                (each.operation.handler, f"{each.operation} does so, too")
                for each in found[1:_LISTED]
                if each.operation.handler is not None
            ),
        ),
        routes=routes_of(each.operation for each in found),
        context=Context(access="none", writes=None),
    )


_HEAD = """
    import hashlib

    from fastapi import Depends, FastAPI, HTTPException, Request

    accounts: dict[str, bytes] = {}
    app = FastAPI()
"""

rule.bad = (
    _HEAD
    + """
    @app.post("/accounts")
    def open_account(name: str, password: str) -> str:  # finding: expensive-public-route-unthrottled
        accounts[name] = hashlib.scrypt(password.encode(), salt=name.encode(), n=2**12, r=8, p=1)
        return name
"""
)

rule.good = (
    _HEAD
    + """
    asked: dict[str, int] = {}

    def limit_by_client(request: Request) -> None:
        address = request.client.host if request.client else ""
        asked[address] = asked.get(address, 0) + 1
        if asked[address] > 5:
            raise HTTPException(429)

    @app.post("/accounts", dependencies=[Depends(limit_by_client)])
    def open_account(name: str, password: str) -> str:
        accounts[name] = hashlib.scrypt(password.encode(), salt=name.encode(), n=2**12, r=8, p=1)
        return name
"""
)


@rule.exploit
def one_client_has_everything_hashed(proof: Proof) -> None:
    """Thirty requests of one client are answered with thirty slow hashes."""
    hashed = proof.spy("hashlib:scrypt")
    for number in range(30):
        proof.client.post("/accounts", params={"name": f"n{number}", "password": "x"})
    assert len(hashed) == 30
