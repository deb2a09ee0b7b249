"""A token that is never too old is good for ever for whoever finds it.

A token without `exp`, or one whose `exp` nobody checks, outlives passwords, accounts and the device it was stolen from.
So does, nearly, one that is good for a month. And `exp` is read as UTC: counted from the local clock it ends hours too
late, or before it was sent.

Known limits: a payload is followed through names, copies and updates and to the callers of the function that makes it; one
that comes from a model is not. Too long is a month for a token that gives access and that nothing can end (a claim such as
`jti`, a table of sessions), tentatively a day; a `timedelta` of constants and of defaults of settings is counted. A token
whose maker says in a comment that it has no end is tentative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.source_text import comments_of
from fastapi_architect.analyses.token_times import local_clock, longest_life
from fastapi_architect.analyses.tokens import MadeToken, made_tokens
from fastapi_architect.concepts.identity import TokenDecode, TokenEncode
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    Location,
    Proof,
    Rule,
    Scope,
    Severity,
    Site,
    argument,
    dotted_name,
    ir,
    last_name,
    lazy_pattern,
    names_in,
    steps,
)

rule = Rule(
    __name__,
    "A token never expires",
    severity=Severity.IMPORTANT,
    cwe=613,
    cvss="AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://pyjwt.readthedocs.io/en/stable/usage.html#expiration-time-claim-exp",
        "https://datatracker.ietf.org/doc/html/rfc7519#section-4.1.4",
    ),
    requires=("pyjwt",),
)

#: Claims by which a server can end a token without an expiry.
_ON_RECORD = frozenset({"jti", "sid", "session_id", "session"})
#: What somebody says who wants it so.
_ENDLESS = lazy_pattern(
    r"(not|never|n't) expire|no (exp\b|expir)|without (an )?expir|long[- ]lived", re.IGNORECASE
)
_LATE = lazy_pattern(
    r"refresh|logout|log_out|revoke|blacklist|denylist|expired|renew|peek|inspect", re.IGNORECASE
)


@rule.check(per=AppGraph)
def token_without_an_end(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for token in made_tokens(graph):
        function = token.encode.function
        if function is None or "exp" in token.claims.always or not token.claims.complete:
            continue
        if graph.within(TokenDecode, function):
            continue  # a trial of the key at start
        how = "no `exp` in it"
        if "exp" in token.claims.sometimes:
            missing = _left_out(graph, function)
            if missing is None:
                continue
            how = f"no `exp` in it when `{missing}` is left out, as it is by a caller"
        yield _made(token, how, graph)


@rule.check(per=AppGraph)
def token_that_ends_too_late(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for token in made_tokens(graph):
        function = token.encode.function
        claims = token.claims.always | token.claims.sometimes
        if function is None or function.module.kind != "source":
            continue
        clock = local_clock(token.encode, graph)
        if clock is not None:
            yield _local(token, clock.scope.location(clock.expr), _said(clock.expr))
            continue
        life = longest_life(token.encode, graph)
        if (
            token.purposes != {"access"}
            or life is None
            or life[0] <= _DAY
            or claims & _ON_RECORD
            or _ends(graph)
        ):
            continue
        yield _long(token, life[0], life[1].scope.location(life[1].expr))


_DAY = 86_400
_MONTH = 30 * _DAY
#: What ends tokens before their time, by the names of functions.
_ENDING = lazy_pattern(
    r"(revoke|blacklist|denylist|black_list|invalidate)_?.*token|token.*(revoke|blacklist|denylist)",
    re.IGNORECASE,
)


def _ends(graph: AppGraph) -> bool:
    return any(_ENDING.search(f.name) for f in graph.program.functions if f.module.kind == "source")


def _said(clock: ir.Expr) -> str:
    """The call as a reader would say it."""
    return f"{dotted_name(clock.func)}()" if isinstance(clock, ir.Call) else "the local clock"


def _local(token: MadeToken, place: Location, clock: str) -> Finding:
    encode = token.encode
    assert encode.function is not None
    name = encode.function.name
    found = rule.at(
        place,
        f"`{name}` counts `exp` from `{clock}`, a local time that is read as UTC: tokens end hours late east of Greenwich, "
        "and are dead at once west of it.",
        'Say the time zone:\n```python\nclaims["exp"] = datetime.now(UTC) + timedelta(minutes=30)\n```',
        reasoning="Libraries turn a date without a zone into seconds as if it were UTC; `timestamp()` as if it were local.",
        exploit="A token that was stolen after its owner's half hour still works until the hours of the zone are over.",
        confidence=Confidence.FIRM if encode.sure else Confidence.TENTATIVE,
        trace=steps((place, f"the time is `{clock}`"), (encode, f"{name} signs it as `exp`")),
        context=Context(data="secret", writes=True, hard=True),
        symbol=encode.function.full_name,
    )
    return replace(found, severity=Severity.MINOR)


def _long(token: MadeToken, seconds: float, place: Location) -> Finding:
    encode = token.encode
    assert encode.function is not None
    name, days = encode.function.name, seconds / _DAY
    found = rule.at(
        place,
        f"`{name}` makes tokens that are good for {days:g} days, and nothing here ends one before.",
        "Let access tokens live for minutes, and renew them with a refresh token that can be revoked:\n"
        '```python\nclaims["exp"] = datetime.now(UTC) + timedelta(minutes=30)\n```',
        reasoning="Whoever finds a token has the account until it expires, also after the password was changed.",
        exploit=f"A token from a log, a backup or a shared device works for up to {days:g} days.",
        confidence=Confidence.FIRM if seconds >= _MONTH and encode.sure else Confidence.TENTATIVE,
        trace=steps((place, f"{days:g} days"), (encode, f"{name} signs the token")),
        context=Context(data="secret", writes=True, hard=True),
        symbol=encode.function.full_name,
    )
    return replace(found, severity=Severity.MINOR)


@rule.check(per=TokenDecode)
def expiry_that_nobody_checks(decode: TokenDecode, graph: AppGraph) -> Iterator[Finding]:
    function = decode.function
    if not decode.verified or decode.expiry_checked or function is None or function.module.kind == "test":
        return
    if (
        decode.library == "itsdangerous"
        or _checks_later(graph, function)
        or graph.within(TokenEncode, function)
    ):
        return
    late = bool(_LATE.search(function.name)) or _reads_a_handle(function)
    how = "does not check how old the token is"
    yield rule.at(
        decode,
        f"`{function.name}` {how}: a token that has expired is accepted.",
        "Let the library check `exp`, and demand it:\n"
        '```python\nclaims = jwt.decode(token, key, algorithms=["HS256"], options={"require": ["exp"]})\n```',
        reasoning="The check is switched off by an option, or left to a `validate()` that never comes.",
        exploit=f"Use a token from an old backup, log or device: `{function.name}` still accepts it.",
        confidence=Confidence.TENTATIVE if late or not decode.sure else Confidence.FIRM,
        trace=steps((decode, how)),
        context=Context(data="secret", writes=True, hard=True),
    )


def _reads_a_handle(function: Function) -> bool:
    """All that is read of the token is an identity, such as `jti`: what is on record under it may have an end of its own."""
    keys = [site.node.slice for site in function.facts.sites(ir.Subscript)]
    keys += [site.node.args[0] for site in function.facts.calls_named("get") if site.node.args]
    read = {key.value for key in keys if key.__class__ is ir.Constant and key.kind == "str"}
    return bool(read) and read <= _ON_RECORD


def _checks_later(graph: AppGraph, function: Function) -> bool:
    """`claims.validate()` or a test of `exp`: in the function, in one that it calls, or in one that calls it."""
    callers = [site.scope for site in graph.program.calls.callers(function)]
    called = [target for site in function.facts.calls for target in graph.program.calls.targets(site)]
    return any(_reads_expiry(each) for each in (function, *callers, *called))


def _reads_expiry(scope: Scope) -> bool:
    if any("valid" in last_name(site.node.func).lower() for site in scope.facts.calls):
        return True
    keys = [site.node.slice for site in scope.facts.sites(ir.Subscript)]
    keys += [site.node.args[0] for site in scope.facts.calls_named("get") if site.node.args]
    return any(key.__class__ is ir.Constant and key.value == "exp" for key in keys)


def _left_out(graph: AppGraph, function: Function) -> str | None:
    """The parameter under whose test `exp` is set, when some caller leaves it out."""
    for site in (*function.facts.sites(ir.Assign), *function.facts.calls_named("update")):
        if not _sets_expiry(site):
            continue
        context = site.context.inside("if")
        for name in names_in(getattr(context.node, "test", None)) if context is not None else ():
            param = function.parameter(name)
            if param is None or param.default.__class__ is not ir.Constant or param.default.value:
                continue
            names = [p.name for p in function.parameters]
            position = names.index(name) - (1 if function.is_method else 0)
            for call in graph.program.calls.callers(function):
                spread = any(k.arg is None for k in call.node.keywords)
                if (
                    argument(call.node, position, name) is None
                    and call.scope.module.kind != "test"
                    and not spread
                ):
                    return name
    return None


def _sets_expiry(site: Site) -> bool:
    if site.node.__class__ is ir.Call:
        given = site.node.args[0] if site.node.args else None
        keys = given.keys if given.__class__ is ir.Dict else ()
        return any(k.__class__ is ir.Constant and k.value == "exp" for k in keys) or any(
            k.arg == "exp" for k in site.node.keywords
        )
    targets = [t for t in site.node.targets if t.__class__ is ir.Subscript]
    return any(t.slice.__class__ is ir.Constant and t.slice.value == "exp" for t in targets)


def _is_meant(function: Function, graph: AppGraph) -> bool:
    """A comment in the function says that its tokens have no end."""
    return any(_ENDLESS.search(each) for each in comments_of(graph, function))


def _made(token: MadeToken, how: str, graph: AppGraph) -> Finding:
    encode = token.encode
    assert encode.function is not None
    on_record = bool((token.claims.always | token.claims.sometimes) & _ON_RECORD)
    doubtful = on_record or not encode.sure or _is_meant(encode.function, graph)
    name = encode.function.name
    return rule.at(
        encode,
        f"`{name}` makes a token with {how}: it is good for ever.",
        'Give it an end, in UTC:\n```python\nclaims["exp"] = datetime.now(UTC) + timedelta(minutes=30)\n```',
        reasoning="Without `exp` a verifier has nothing to check: PyJWT and python-jose accept the token at any time.",
        exploit=f"A token of `{name}` that was stolen once, from a log, a backup or a device, works for ever.",
        confidence=Confidence.TENTATIVE if doubtful else Confidence.FIRM,
        trace=steps((encode, f"{name} signs claims with {how}")),
        context=Context(data="secret", writes=True, hard=True),
    )


_REST = """
    @app.get("/orders")
    def list_orders(authorization: Annotated[str, Header()]) -> list[str]:
        try:
            claims = jwt.decode(authorization.removeprefix("Bearer "), KEY, algorithms=["HS256"])
        except jwt.PyJWTError:
            raise HTTPException(401) from None
        return [f"three books for {claims['sub']}"]
"""

rule.bad = (
    """
    import os
    from typing import Annotated

    import jwt
    from fastapi import FastAPI, Header, HTTPException

    KEY = os.environ["TOKEN_KEY"]
    app = FastAPI()

    @app.post("/login")
    def log_in(name: str) -> str:
        return jwt.encode({"sub": name}, KEY, algorithm="HS256")  # finding: jwt-without-expiry
"""
    + _REST
)

rule.good = (
    """
    import os
    from datetime import UTC, datetime, timedelta
    from typing import Annotated

    import jwt
    from fastapi import FastAPI, Header, HTTPException

    KEY = os.environ["TOKEN_KEY"]
    app = FastAPI()

    @app.post("/login")
    def log_in(name: str) -> str:
        expires = datetime.now(UTC) + timedelta(minutes=30)
        return jwt.encode({"sub": name, "exp": expires}, KEY, algorithm="HS256")
"""
    + _REST
)


@rule.exploit
def a_token_of_ten_years_ago(proof: Proof) -> None:
    """A token that was stolen is used ten years later, and still opens the orders."""
    import datetime as dt
    import os
    import secrets

    os.environ["TOKEN_KEY"] = secrets.token_hex(32)
    stolen = proof.client.post("/login", params={"name": "alice"}).json()

    class Later(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Later:
            moved = dt.datetime.now(tz) + dt.timedelta(days=3650)
            return cls.fromtimestamp(moved.timestamp(), tz)

    proof.module("jwt.api_jwt").datetime = Later
    answer = proof.client.get("/orders", headers={"Authorization": f"Bearer {stolen}"})
    assert answer.status_code == 200
    assert answer.json() == ["three books for alice"]
