"""A token that was made for something else opens the API, because nobody asks what it is for.

Refresh, reset and invitation tokens live longer, travel by mail and land in logs. When they are signed with the key of
access tokens, and the function that reads access tokens does not look at a claim that tells them apart, each of them
is an access token, too.

Known limits: purposes are told by the names of the functions that make tokens and by their claims; a test of any claim
such as `type`, `purpose` or `aud` behind the decoder counts as a distinction.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.injected_values import names_read, receivers
from fastapi_architect.analyses.tokens import MadeToken, key_symbol, made_tokens, purpose_of, readers_of
from fastapi_architect.concepts.identity import TokenDecode
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    ir,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A token made for something else is accepted as an access token",
    severity=Severity.IMPORTANT,
    cwe=287,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://datatracker.ietf.org/doc/html/rfc8725#section-3.12",
        "https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/",
    ),
    requires=("pyjwt",),
)

_TELLING = frozenset({
    "type", "typ", "token_type", "token_use", "use", "kind", "purpose", "aud", "audience", "action", "refresh", "is_refresh",
    "expected_type", "token_kind", "iss", "issuer", "usage",
})  # fmt: skip


#: Claims that say nothing about whose token it is.
_IN_EVERY_TOKEN = frozenset({"exp", "iat", "nbf", "jti", "iss", "aud"})


@rule.check(per=TokenDecode)
def decoder_that_does_not_ask(decode: TokenDecode, graph: AppGraph) -> Iterator[Finding]:
    function = decode.function
    if (
        function is None
        or not decode.verified
        or decode.library == "itsdangerous"
        or function.module.kind == "test"
    ):
        return
    if decode.audience is not None or purpose_of(function.name) != "access":
        return
    key = key_symbol(graph, decode.key, decode.scope)
    same_key = [t for t in made_tokens(graph) if key and t.key == key]
    others = _acceptable(same_key, _keys_read(graph, function))
    foreign = sorted({p for token in others for p in token.purposes} - {"access"})
    if not foreign or not any("access" in token.purposes for token in others):
        return
    readers = readers_of(graph, decode)
    guards = [each for each in readers if receivers(graph, each) and purpose_of(each.name) == "access"]
    if not guards or any(_tells_apart(each) for each in readers):
        return
    yield _finding(graph, decode, function, guards[0], foreign, others)


def _keys_read(graph: AppGraph, function: Function) -> frozenset[str]:
    """Keys that the decoder asks for: `claims["file"]`, `claims.get("sub")`."""
    facts = function.facts
    keys = [site.node.slice for site in facts.sites(ir.Subscript)]
    keys += [site.node.args[0] for site in facts.calls_named("get") if site.node.args]
    return frozenset(text for key in keys if (text := graph.program.constants.string(key, function)))


def _acceptable(tokens: list[MadeToken], keys: frozenset[str]) -> list[MadeToken]:
    """Tokens that may hold a claim that the decoder asks for; all of them when it asks for none of theirs.

    A function also reads headers and cookies by keys: only those that some token has are claims.
    """
    held = {id(t): (t.claims.always | t.claims.sometimes) - _IN_EVERY_TOKEN for t in tokens}
    asked = keys & frozenset().union(*held.values())
    return [t for t in tokens if not asked or not t.claims.complete or asked & held[id(t)]]


def _tells_apart(function: Function) -> bool:
    facts = function.facts
    keys = [site.node.slice for site in facts.sites(ir.Subscript)]
    keys += [argument for site in facts.calls for argument in site.node.args]
    if any(key.__class__ is ir.Constant and key.value in _TELLING for key in keys):
        return True
    compared: tuple[type[ir.Node], ...] = (ir.Compare, ir.If)
    for kind in compared:
        for site in facts.sites(kind):
            expr = site.node.test if kind is ir.If else site.node
            attributes = {node.attr for node in walk(expr) if node.__class__ is ir.Attribute}
            if _TELLING & (attributes | names_read(expr)):
                return True
    return False


def _subject(token: MadeToken) -> str:
    """What stands in `sub`, as written."""
    payload = token.encode.payload
    if payload.__class__ is not ir.Dict:
        return ""
    for key, value in zip(payload.keys, payload.values, strict=True):
        if key.__class__ is ir.Constant and key.value == "sub":
            return " ".join(sorted(names_read(value)))
    return ""


def _finding(
    graph: AppGraph,
    decode: TokenDecode,
    function: Function,
    guard: Function,
    foreign: list[str],
    tokens: list[MadeToken],
) -> Finding:
    subjects = {_subject(token) for token in tokens}
    same = (
        len(subjects) == 1
    )  # one holds an id, the other a mail address: accepted, but nobody is found behind it
    operations = [each.operation for each in receivers(graph, guard)]
    names = " and ".join(foreign)
    nobody = "it does not ask" if guard is function else f"neither it nor `{guard.name}` asks"
    return rule.at(
        decode,
        f"`{function.name}` accepts {names} tokens as access tokens: they are signed with the same key, "
        f"and {nobody} what a token is for.",
        "Say in every token what it is for, and demand it:\n"
        "```python\n"
        'claims = jwt.decode(token, key, algorithms=["HS256"], options={"require": ["exp", "type"]})\n'
        'if claims["type"] != "access":\n'
        "    raise HTTPException(status_code=401)\n"
        "```",
        reasoning="A signature says who made a token, not for what.",
        exploit=f"Send a token that was made for {names} in the Authorization header: it is accepted.",
        confidence=Confidence.FIRM if same else Confidence.TENTATIVE,
        trace=steps(
            *((token.encode, f"{', '.join(sorted(token.purposes))} tokens") for token in tokens[:6]),
            (decode, "read here"),
        ),
        routes=routes_of(operations[:20]),
        context=Context(data="secret", writes=True, missing_check=True),
    )


rule.bad = """
    import os
    from datetime import UTC, datetime, timedelta
    from typing import Annotated

    import jwt
    from fastapi import Depends, FastAPI, Header, HTTPException

    KEY = os.environ["TOKEN_KEY"]
    app = FastAPI()

    def create_access_token(name: str) -> str:
        claims = {"sub": name, "exp": datetime.now(UTC) + timedelta(minutes=10)}
        return jwt.encode(claims, KEY, algorithm="HS256")

    def create_refresh_token(name: str) -> str:
        claims = {"sub": name, "exp": datetime.now(UTC) + timedelta(days=90)}
        return jwt.encode(claims, KEY, algorithm="HS256")

    def current_user(authorization: Annotated[str, Header()]) -> str:
        token = authorization.removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, KEY, algorithms=["HS256"])  # finding: jwt-token-type-confusion
        except jwt.PyJWTError:
            raise HTTPException(401) from None
        return claims["sub"]

    @app.post("/login")
    def log_in(name: str) -> dict[str, str]:
        return {"access": create_access_token(name), "refresh": create_refresh_token(name)}

    @app.get("/orders")
    def list_orders(user: Annotated[str, Depends(current_user)]) -> list[str]:
        return [f"three books for {user}"]
"""

rule.good = """
    import os
    from datetime import UTC, datetime, timedelta
    from typing import Annotated

    import jwt
    from fastapi import Depends, FastAPI, Header, HTTPException

    KEY = os.environ["TOKEN_KEY"]
    app = FastAPI()

    def create_access_token(name: str) -> str:
        claims = {"sub": name, "type": "access", "exp": datetime.now(UTC) + timedelta(minutes=10)}
        return jwt.encode(claims, KEY, algorithm="HS256")

    def create_refresh_token(name: str) -> str:
        claims = {"sub": name, "type": "refresh", "exp": datetime.now(UTC) + timedelta(days=90)}
        return jwt.encode(claims, KEY, algorithm="HS256")

    def current_user(authorization: Annotated[str, Header()]) -> str:
        token = authorization.removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, KEY, algorithms=["HS256"])
        except jwt.PyJWTError:
            raise HTTPException(401) from None
        if claims.get("type") != "access":
            raise HTTPException(401)
        return claims["sub"]

    @app.post("/login")
    def log_in(name: str) -> dict[str, str]:
        return {"access": create_access_token(name), "refresh": create_refresh_token(name)}

    @app.get("/orders")
    def list_orders(user: Annotated[str, Depends(current_user)]) -> list[str]:
        return [f"three books for {user}"]
"""


@rule.exploit
def a_refresh_token_opens_the_orders(proof: Proof) -> None:
    """A refresh token, good for ninety days and meant for one route, opens every other."""
    import os
    import secrets

    os.environ["TOKEN_KEY"] = secrets.token_hex(32)
    refresh = proof.client.post("/login", params={"name": "alice"}).json()["refresh"]
    answer = proof.client.get("/orders", headers={"Authorization": f"Bearer {refresh}"})
    assert answer.status_code == 200
    assert answer.json() == ["three books for alice"]
