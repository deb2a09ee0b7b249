"""The claims of a token are used although nobody checked who signed it.

Everybody can write a token: it is two pieces of base64. What makes it worth anything is the signature, and here it is
not verified. PyJWT then skips the expiry, too.

Known limits: an id token that was fetched from the provider over TLS in the same function may be read unverified
(OpenID Connect Core 3.1.3.7) and is left out; so are claims of which only `exp`, `kid`, `iss` and the like are read, a token
that a guard of the operation has verified or that is handed to a verifier, and one that is typed on a command line. Where
the others are only compared with what the object knows (`claims["sub"] == self.user_id`) it is tentative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.token_origin import (
    is_fetched,
    is_handed_to_a_verifier,
    is_typed_by_hand,
    is_verified_by_guards,
)
from fastapi_architect.concepts.cryptography import Encoding, MessageAuthentication
from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.concepts.identity import TokenDecode, TokenEncode
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    Site,
    argument,
    first_route,
    ir,
    last_name,
    lazy_pattern,
    names_in,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A token is believed without checking its signature",
    severity=Severity.CRITICAL,
    cwe=347,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://pyjwt.readthedocs.io/en/stable/usage.html#reading-the-claimset-without-validation",
        "https://datatracker.ietf.org/doc/html/rfc8725#section-3.3",
    ),
    requires=("pyjwt",),
)

#: Claims that say how to verify, or when a token ends: reading them believes nothing about its bearer.
_HARMLESS = frozenset({"exp", "kid", "iss", "aud", "alg", "iat", "nbf", "jku", "x5t", "typ"})
_LOGS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
#: Names and functions through which a token of the program's own is followed.
_MAX_HOPS = 4
#: Statements that may hand a value on; those with a test are asked for it.
_STATEMENTS = (ir.Assign, ir.AnnAssign, ir.AugAssign, ir.Return, ir.ExprStmt, ir.Raise)
_MINTS = lazy_pattern(r"(create|make|mint|issue|generate|encode|sign|new)_?\w*(token|jwt)", re.IGNORECASE)
_FROM_PROVIDER = lazy_pattern(r"id_?token", re.IGNORECASE)

#: A longer argument is shown as `token` or `key`.
_LONG = 40


@rule.check(per=TokenDecode)
def unverified_claims_are_used(decode: TokenDecode, graph: AppGraph) -> Iterator[Finding]:
    function = decode.function
    if decode.verified or function is None or function.module.kind == "test":
        return
    if _is_verified_elsewhere(graph, function, decode.token) or _comes_from_the_provider(graph, decode):
        return
    if _is_harmless(graph, function, decode.token):
        return
    if _is_own_token(graph, function, decode.token) or _is_only_logged(function, decode.site):
        return
    claims = _claims_used(graph, function, decode.site)
    if claims is not None and claims <= _HARMLESS:
        return
    expires = claims is not None and claims - _confirmed(function) <= _HARMLESS
    yield _finding(graph, decode.site, function, _how(decode), sure=decode.sure and not expires)


@rule.check(per=Encoding)
def payload_is_decoded_by_hand(encoding: Encoding, graph: AppGraph) -> Iterator[Finding]:
    function = encoding.function
    if encoding.kind != "base64-decode" or function is None or function.module.kind == "test":
        return
    if not _is_payload_of_a_token(function, encoding.data, 0):
        return
    if not function.facts.calls_named("loads", "model_validate_json", "parse_raw"):
        return
    if graph.within(MessageAuthentication, function) or function.facts.calls_named(
        "verify", "compare_digest"
    ):
        return
    if _is_only_logged(function, encoding.site) or _is_harmless(graph, function, encoding.data):
        return
    claims = _claims_used(graph, function, encoding.site)
    if claims is not None and claims <= _HARMLESS:
        return
    yield _finding(graph, encoding.site, function, "takes the payload apart by hand", sure=False)


def _is_harmless(graph: AppGraph, function: Function, token: ir.Expr | None) -> bool:
    """Somebody else verifies the token, or nobody outside has made it up."""
    return (
        is_handed_to_a_verifier(graph, function, token)
        or is_verified_by_guards(graph, function, token)
        or is_fetched(graph, token, function)
        or is_typed_by_hand(graph, function)
    )


def _is_verified_elsewhere(graph: AppGraph, function: Function, token: ir.Expr | None) -> bool:
    """The same function, or a caller, verifies a token: of the same name, when the names are known."""
    names = set(names_in(token))
    for each in graph.within(TokenDecode, function):
        if each.verified and (not names or names & set(names_in(each.token))):
            return True
    for site in graph.program.calls.callers(function)[:8]:
        if isinstance(site.scope, Function) and any(
            each.verified for each in graph.within(TokenDecode, site.scope)
        ):
            return True
    return False


def _is_own_token(graph: AppGraph, function: Function, token: ir.Expr | None, depth: int = 0) -> bool:
    """The token was made by this program a moment ago: here, or by every caller that hands it over."""
    if isinstance(token, ir.Await):
        token = token.value
    if isinstance(token, ir.Call):
        return any(
            graph.within(TokenEncode, target)
            or _MINTS.search(target.name)
            or _returns_own_token(graph, target, depth + 1)
            for site in function.facts.calls
            if site.node is token
            for target in graph.program.calls.targets(site)
        )
    if not isinstance(token, ir.Name) or depth > _MAX_HOPS:
        return False
    bindings = function.facts.bindings.get(token.id, ())
    if bindings and all(b.kind in ("assign", "annotated") and b.value is not None for b in bindings):
        return all(_is_own_token(graph, function, b.value, depth + 1) for b in bindings)
    names = [p.name for p in function.parameters[1 if function.is_method else 0 :]]
    if token.id not in names or len(bindings) > 1:
        return False
    callers = graph.program.calls.callers(function)
    return bool(callers) and all(
        isinstance(site.scope, Function)
        and _is_own_token(graph, site.scope, argument(site.node, names.index(token.id), token.id), depth + 1)
        for site in callers
    )


def _returns_own_token(graph: AppGraph, function: Function, depth: int) -> bool:
    """Whatever the function returns, besides None, is a token that was made a moment ago."""
    values = [site.node.value for site in function.facts.sites(ir.Return)]
    given = [v for v in values if v is not None and not (isinstance(v, ir.Constant) and v.kind == "none")]
    return (
        depth <= _MAX_HOPS
        and bool(given)
        and all(_is_own_token(graph, function, v, depth + 1) for v in given)
    )


def _is_only_logged(function: Function, site: Site) -> bool:
    """What is read from the claims goes into log lines and nowhere else."""
    statement = site.statement
    if not isinstance(statement, ir.Assign):
        return False
    names = {target.id for target in statement.targets if isinstance(target, ir.Name)}
    if len(names) != len(statement.targets):
        return False
    simple: list[Any] = [
        s.node for kind in _STATEMENTS for s in function.facts.sites(kind) if s.node is not statement
    ]
    for _ in range(4):
        for node in simple:
            if node.__class__ is ir.Assign and names & set(names_in(node.value)):
                if any(t.__class__ is not ir.Name for t in node.targets):
                    return False
                names |= {t.id for t in node.targets if isinstance(t, ir.Name)}
    logged = False
    for node in simple:
        read = node.value if node.__class__ is not ir.Raise else node.exc
        if node.__class__ is ir.Assign or not names & set(names_in(read)):
            continue
        if node.__class__ is not ir.ExprStmt or not _is_log_line(read):
            return False
        logged = True
    chosen = [s.node for s in function.facts.sites(ir.If)]
    asked = [
        *chosen,
        *(b for each in chosen for b in each.elifs),
        *(s.node for s in function.facts.sites(ir.While)),
    ]
    looped = (s.node.iter for s in function.facts.sites(ir.For))
    entered = (item.context for s in function.facts.sites(ir.With) for item in s.node.items)
    tests = (*(node.test for node in asked), *looped, *entered)
    return logged and not any(names & set(names_in(test)) for test in tests)


def _is_log_line(expr: ir.Expr | None) -> bool:
    return (
        isinstance(expr, ir.Call)
        and last_name(expr.func) in _LOGS
        and isinstance(expr.func, ir.Attribute)
        and "log" in last_name(expr.func.value).lower()
    )


def _comes_from_the_provider(graph: AppGraph, decode: TokenDecode) -> bool:
    function = decode.function
    assert function is not None
    written = " ".join(names_in(decode.token)) + " ".join(_texts(decode.token))
    bound = " ".join(
        f"{' '.join(names_in(b.value))} {' '.join(_texts(b.value))}"
        for name in names_in(decode.token)
        for b in function.facts.bindings.get(name, ())
    )
    fetched = bool(graph.within(OutboundRequest, function)) or bool(
        function.facts.calls_named(
            "authorize_access_token", "fetch_token", "get_access_token", "fetch_access_token"
        )
    )
    sent = any(function.parameter(name) is not None for name in names_in(decode.token))
    if sent and graph.operations_running(function):
        return fetched  # `def sign_in(id_token: str)`: the client sends it
    return fetched or bool(_FROM_PROVIDER.search(written + bound))


def _texts(expr: ir.Expr | None) -> Iterator[str]:
    for node in walk(expr):
        if node.__class__ is ir.Constant and isinstance(node.value, str):
            yield node.value


def _claims_used(graph: AppGraph, function: Function, site: Site) -> frozenset[str] | None:
    """Claims that are read in the function or, where it returns them all, by every caller; None when not known."""
    own = _claims_read(function, site)
    if own is not None:
        return own
    read = [
        _claims_read(caller.scope, caller)
        for caller in graph.program.calls.callers(function)
        if isinstance(caller.scope, Function) and caller.scope.module.kind != "test"
    ]
    return frozenset().union(*(r for r in read if r is not None)) if read and None not in read else None


def _claims_read(function: Function, site: Site) -> frozenset[str] | None:
    """Claims read in the function; None when the claims as a whole go somewhere else."""
    found: set[str] = set()
    names = {target.id for target in getattr(site.statement, "targets", ()) if target.__class__ is ir.Name}
    for each in function.facts.sites(ir.Subscript):
        key = each.node.slice
        if key.__class__ is ir.Constant and isinstance(key.value, str):
            found.add(key.value)
    for each in function.facts.calls_named("get", "pop"):
        if each.node.args and each.node.args[0].__class__ is ir.Constant:
            found.add(str(each.node.args[0].value))
    for each in function.facts.sites(ir.Return):
        value = each.node.value
        if each.statement is site.statement and value is site.node:
            return None
        if value.__class__ is ir.Name and value.id in names:
            return None
    return frozenset(found) if found else None


def _confirmed(function: Function) -> frozenset[str]:
    """Claims that are only compared with what the object knows already: `assert claims["sub"] == self.user_id`."""
    compared: dict[str, int] = {}
    for site in function.facts.sites(ir.Compare):
        sides = [site.node.left, *site.node.comparators]
        if site.node.ops not in (["=="], ["!="]) or not any(_is_of_self(side) for side in sides):
            continue
        for claim in filter(None, map(_claim, sides)):
            compared[claim] = compared.get(claim, 0) + 1
    read = [_claim(s.node) for s in (*function.facts.sites(ir.Subscript), *function.facts.calls_named("get"))]
    return frozenset(claim for claim, times in compared.items() if read.count(claim) == times)


def _is_of_self(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Attribute) and isinstance(expr.value, ir.Name) and expr.value.id == "self"


def _claim(expr: ir.Expr) -> str:
    """`claims["sub"]`, `claims.get("sub")`: the claim; "" for anything else."""
    key: ir.Expr | None = None
    if isinstance(expr, ir.Subscript):
        key = expr.slice
    elif isinstance(expr, ir.Call) and last_name(expr.func) == "get" and expr.args:
        key = expr.args[0]
    return str(key.value) if isinstance(key, ir.Constant) and key.kind == "str" else ""


def _is_payload_of_a_token(function: Function, expr: ir.Expr | None, depth: int) -> bool:
    """The middle part of something split at dots, followed through names of the function."""
    if expr is None or depth > 4:
        return False
    for node in walk(expr):
        if node.__class__ is ir.Subscript and node.slice.__class__ is ir.Constant and node.slice.value == 1:
            if _splits_at_dots(function, node.value):
                return True
        elif node.__class__ is ir.Name:
            for binding in function.facts.bindings.get(node.id, ()):
                if binding.kind != "assign" or binding.value is None or binding.value is expr:
                    continue
                if binding.path == (1,) and _splits_at_dots(function, binding.value):
                    return True
                if not binding.path and _is_payload_of_a_token(function, binding.value, depth + 1):
                    return True
    return False


def _splits_at_dots(function: Function, expr: ir.Expr) -> bool:
    if expr.__class__ is ir.Name:
        bindings = function.facts.bindings.get(expr.id, ())
        return any(
            b.value is not None and b.kind == "assign" and _splits_at_dots(function, b.value)
            for b in bindings
        )
    return (
        expr.__class__ is ir.Call
        and last_name(expr.func) == "split"
        and bool(expr.args)
        and expr.args[0].__class__ is ir.Constant
        and expr.args[0].value == "."
    )


def _how(decode: TokenDecode) -> str:
    if decode.name.endswith("get_unverified_claims"):
        return "reads `get_unverified_claims`"
    return "switches the check of the signature off"


def _named(expr: ir.Expr | None, otherwise: str, function: Function, graph: AppGraph) -> str:
    """A short argument as it stands; a literal may be the secret itself and is not repeated."""
    text = written(graph, function, expr)
    return (
        text if text and len(text) < _LONG and not isinstance(expr, ir.Constant | ir.JoinedStr) else otherwise
    )


def _finding(graph: AppGraph, site: Site, function: Function, how: str, sure: bool) -> Finding:
    reached = graph.entries(function)
    confidence = Confidence.FIRM if reached and sure else Confidence.TENTATIVE
    given = list(site.node.args) if isinstance(site.node, ir.Call) else []
    token = _named(given[0] if given else None, "token", function, graph)
    key = _named(given[1] if given[1:] else None, "key", function, graph)
    return rule.at(
        site,
        f"`{function.name}` {how} and uses the claims: anybody can write them.",
        "Verify the signature before a claim is used:\n"
        "```python\n"
        f'claims = jwt.decode({token}, {key}, algorithms=["HS256"], options={{"require": ["exp", "sub"]}})\n'
        "```",
        reasoning="Without a verified signature a token is a text that its sender made up; the expiry is not checked either.",
        exploit=f"Send {first_route(reached, function.name)} a token with claims of your choice and any signature: "
        f"`{function.name}` believes them.",
        confidence=confidence,
        trace=steps((site, f"{function.name} {how}")),
        context=Context(data="secret", writes=True),
    )


rule.bad = """
    from typing import Annotated

    import jwt
    from fastapi import Depends, FastAPI, Header, HTTPException

    app = FastAPI()

    def current_role(authorization: Annotated[str, Header()]) -> str:
        token = authorization.removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, options={"verify_signature": False})  # finding: jwt-signature-not-verified
        except jwt.PyJWTError:
            raise HTTPException(401) from None
        return claims["role"]

    @app.get("/payroll")
    def read_payroll(role: Annotated[str, Depends(current_role)]) -> list[int]:
        if role != "admin":
            raise HTTPException(403)
        return [5200, 6100]
"""

rule.good = """
    import os
    from typing import Annotated

    import jwt
    from fastapi import Depends, FastAPI, Header, HTTPException

    KEY = os.environ["TOKEN_KEY"]
    app = FastAPI()

    def current_role(authorization: Annotated[str, Header()]) -> str:
        token = authorization.removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, KEY, algorithms=["HS256"])
        except jwt.PyJWTError:
            raise HTTPException(401) from None
        return claims["role"]

    @app.get("/payroll")
    def read_payroll(role: Annotated[str, Depends(current_role)]) -> list[int]:
        if role != "admin":
            raise HTTPException(403)
        return [5200, 6100]
"""


@rule.exploit
def a_made_up_token_opens_the_payroll(proof: Proof) -> None:
    """A token signed with a key of the attacker's own opens /payroll as an admin."""
    import os
    import secrets

    import jwt

    os.environ["TOKEN_KEY"] = secrets.token_hex(32)
    forged = jwt.encode({"sub": "mallory", "role": "admin"}, secrets.token_hex(32), algorithm="HS256")
    answer = proof.client.get("/payroll", headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 200
    assert answer.json() == [5200, 6100]
