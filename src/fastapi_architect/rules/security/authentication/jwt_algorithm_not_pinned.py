"""Whoever writes a token also decides how its signature is checked.

A verifier has to know the algorithm before it looks at the token. When the token's own header, or a list that mixes
shared secrets with key pairs, decides it, an attacker signs with HS256 and takes the public key as the secret; with
`none` nobody signs at all.

Known limits: PyJWT without `algorithms` raises and is left out. A list that mixes families is tentative for PyJWT
2.4 and later, which refuses most public keys as secrets.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import Version

from fastapi_architect.concepts.identity import TokenDecode, TokenHeaderRead
from fastapi_architect.rules.kit import (
    UNKNOWN,
    AppGraph,
    Confidence,
    Context,
    Finding,
    Proof,
    Rule,
    Scope,
    Severity,
    ir,
    last_name,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "The token itself decides how its signature is checked",
    severity=Severity.CRITICAL,
    cwe=347,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://datatracker.ietf.org/doc/html/rfc8725#section-3.1",
        "https://pyjwt.readthedocs.io/en/stable/algorithms.html#specifying-an-algorithm",
        "https://nvd.nist.gov/vuln/detail/CVE-2024-33663",
    ),
    requires=("pyjwt",),
)

_DEPTH = 6


@rule.check(per=TokenDecode)
def algorithm_is_left_to_the_sender(decode: TokenDecode, graph: AppGraph) -> Iterator[Finding]:
    if not decode.verified or decode.scope.module.kind == "test":
        return
    if decode.library == "jose" and _is_missing(decode):
        yield _finding(
            decode,
            "names no algorithm: the token's header chooses among those that the key can be used for",
            _sure(decode),
        )
    if decode.algorithms is None:
        return
    header = _from_header(graph, decode.algorithms, decode.scope, 0)
    if header is not None:
        yield _finding(decode, f"takes the algorithm from the token's own header ({header})", _sure(decode))
        return
    names = graph.program.constants.value(decode.algorithms, decode.scope)
    if names is UNKNOWN or not isinstance(names, list | tuple | set | frozenset | str):
        return
    listed = [names] if isinstance(names, str) else [str(name) for name in names]
    if any(name.lower() == "none" for name in listed):
        yield _finding(decode, 'accepts "none": tokens without any signature', _sure(decode))
    elif len({_family(name) for name in listed}) > 1 and any(name.startswith("HS") for name in listed):
        what = f"accepts both shared secrets and key pairs with one key ({', '.join(sorted(listed))})"
        yield _finding(decode, what, _confusion(decode, graph))


def _is_missing(decode: TokenDecode) -> bool:
    """No list, or an explicit None; claims that are read without a key are another rule's matter."""
    given = decode.algorithms
    none = given.__class__ is ir.Constant and given.kind == "none"
    spread = any(k.arg is None for k in decode.node.keywords)
    return (
        (given is None or none) and decode.key is not None and not spread and decode.name.endswith("decode")
    )


def _family(name: str) -> str:
    return "shared" if name.startswith("HS") else "pair"


def _sure(decode: TokenDecode) -> Confidence:
    return Confidence.CERTAIN if decode.sure else Confidence.FIRM


def _confusion(decode: TokenDecode, graph: AppGraph) -> Confidence:
    version = graph.version("pyjwt")
    if decode.library == "pyjwt" and (version is None or version >= Version("2.4")):
        return Confidence.TENTATIVE
    return Confidence.FIRM


def _from_header(graph: AppGraph, expr: ir.Expr, scope: Scope, depth: int) -> str | None:
    """How an expression gets at the header's `alg`, in words; None when it does not."""
    if depth > _DEPTH:
        return None
    headers = {id(read.node) for read in graph.within(TokenHeaderRead, scope)}
    for node in walk(expr):
        if id(node) in headers:
            return last_name(node.func)  # type: ignore[union-attr]
        key = _key(node)
        if key is not None:
            return f'{last_name(key) or "header"}["alg"]' if _is_header(graph, key, scope, depth) else None
    for node in walk(expr):
        if node.__class__ is not ir.Name:
            continue
        for binding in scope.facts.bindings.get(node.id, ()):
            if binding.kind == "assign" and binding.value is not None and binding.value is not expr:
                found = _from_header(graph, binding.value, scope, depth + 1)
                if found is not None:
                    return found
    return None


def _key(node: ir.Expr) -> ir.Expr | None:
    """What `["alg"]` or `.get("alg")` is read from."""
    if node.__class__ is ir.Subscript and _is_alg(node.slice):
        return node.value
    if node.__class__ is ir.Call and last_name(node.func) == "get" and node.args and _is_alg(node.args[0]):
        return node.func.value  # type: ignore[union-attr, return-value]
    return None


def _is_alg(expr: ir.Expr) -> bool:
    return expr.__class__ is ir.Constant and expr.value == "alg"


def _is_header(graph: AppGraph, expr: ir.Expr, scope: Scope, depth: int) -> bool:
    """The mapping is the header of the token: read without verification, or decoded from its first part."""
    if depth > _DEPTH:
        return False
    headers = {id(read.node) for read in graph.within(TokenHeaderRead, scope)}
    if any(id(node) in headers for node in walk(expr)):
        return True
    if expr.__class__ is not ir.Name:
        return False
    for binding in scope.facts.bindings.get(expr.id, ()):
        if binding.value is not None and _is_header(graph, binding.value, scope, depth + 1):
            return True
        read = {last_name(n.func) for n in walk(binding.value) if n.__class__ is ir.Call}
        if read & {"loads", "b64decode", "urlsafe_b64decode"} and "header" in expr.id.lower():
            return True
    return False


def _finding(decode: TokenDecode, what: str, confidence: Confidence) -> Finding:
    name = decode.function.name if decode.function is not None else decode.scope.name
    return rule.at(
        decode,
        f"`{name}` {what}.",
        "Name the one algorithm that you sign with:\n"
        "```python\n"
        'claims = jwt.decode(token, key, algorithms=["RS256"])  # a constant; HS256 where the key is a shared secret\n'
        "```",
        reasoning="The header is written by the sender and is read before anything has been verified.",
        exploit=f"`{name}` accepts a token with a header and a signature of the attacker's choice as genuine.",
        confidence=confidence,
        trace=steps((decode, f"{name} {what}")),
        context=Context(data="secret", writes=True),
    )


rule.bad = """
    from typing import Annotated

    import jwt
    from fastapi import FastAPI, Header, HTTPException

    # The realm's key as the identity provider publishes it.
    REALM_KEY = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun"

    app = FastAPI()

    def verification_key(algorithm: str) -> str:
        if algorithm.startswith("RS"):
            return f"-----BEGIN PUBLIC KEY-----\\n{REALM_KEY}\\n-----END PUBLIC KEY-----"
        return REALM_KEY

    @app.get("/payroll")
    def read_payroll(authorization: Annotated[str, Header()]) -> list[int]:
        token = authorization.removeprefix("Bearer ")
        try:
            algorithm = jwt.get_unverified_header(token)["alg"]
            claims = jwt.decode(token, verification_key(algorithm), algorithms=[algorithm])  # finding: jwt-algorithm-not-pinned
        except jwt.PyJWTError:
            raise HTTPException(401) from None
        if claims["role"] != "admin":
            raise HTTPException(403)
        return [5200, 6100]
"""

rule.good = """
    from typing import Annotated

    import jwt
    from fastapi import FastAPI, Header, HTTPException

    # The realm's key as the identity provider publishes it.
    REALM_KEY = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun"

    app = FastAPI()

    def verification_key() -> str:
        return f"-----BEGIN PUBLIC KEY-----\\n{REALM_KEY}\\n-----END PUBLIC KEY-----"

    @app.get("/payroll")
    def read_payroll(authorization: Annotated[str, Header()]) -> list[int]:
        token = authorization.removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, verification_key(), algorithms=["RS256"])
        except jwt.PyJWTError:
            raise HTTPException(401) from None
        if claims["role"] != "admin":
            raise HTTPException(403)
        return [5200, 6100]
"""


@rule.exploit
def the_public_key_signs_a_token(proof: Proof) -> None:
    """A token signed with HS256 and the realm's public key, which everybody can fetch, opens /payroll as an admin."""
    import jwt

    public = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun"
    forged = jwt.encode({"sub": "nobody", "role": "admin"}, public, algorithm="HS256")
    answer = proof.client.get("/payroll", headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 200
    assert answer.json() == [5200, 6100]
