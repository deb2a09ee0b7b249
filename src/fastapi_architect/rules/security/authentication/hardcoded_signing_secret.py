"""The secret that signs tokens or sessions stands in the code, where everybody who has read the code knows it.

Whoever knows the secret makes up tokens that the application believes: any user, any role. A default in a settings
class is as bad as a constant, because nothing fails when the environment does not set it.

Known limits: a secret is followed through names, settings, defaults of environment reads, one level of calls and
common conversions; one that is put together from parts is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.secrets import SecretUse, is_read_in_development_only, secret_uses
from fastapi_architect.appgraph.values import classify, is_placeholder
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Proof,
    Rule,
    Severity,
    steps,
)

rule = Rule(
    __name__,
    "A secret that signs tokens or sessions is written in the code",
    severity=Severity.CRITICAL,
    cwe=798,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html",
        "https://fastapi.tiangolo.com/advanced/settings/#pydantic-settings",
    ),
    requires=("pyjwt",),
)


@rule.check(per=AppGraph)
def literal_reaches_a_signing_key(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    uses: dict[object, list[SecretUse]] = {}
    for use in secret_uses(graph):
        uses.setdefault(use.origin.location, []).append(use)
    for found in uses.values():
        origin = found[0].origin
        if origin.kind == "setting" and is_read_in_development_only(graph, origin.name.rpartition(".")[2]):
            continue
        finding = _finding(found)
        if finding is not None:
            yield finding


def _finding(uses: list[SecretUse]) -> Finding | None:
    decisive = sorted(uses, key=lambda use: (not use.decides_access, not use.sure))
    use = decisive[0]
    origin = use.origin
    if len(origin.value) < 2 or (not use.decides_access and origin.kind == "literal" and " " in origin.value):
        return None  # a label that derives a key is no secret
    holder = origin.name or "a literal"
    purposes = " and ".join(dict.fromkeys(each.purpose for each in decisive))
    where = {
        "setting": f"the default of `{holder}`",
        "environment": f"the fallback of `{holder}`, used when the environment does not set it,",
        "constant": f"`{holder}`",
    }.get(origin.kind, "a literal")
    field = holder.rpartition(".")[2] if holder.isascii() and " " not in holder else "secret_key"
    field = field.lower().strip("_") if field.strip("_").isidentifier() else "secret_key"
    shown = (
        "well known" if is_placeholder(origin.value) else f"{len(origin.value)} characters, not shown here"
    )
    return rule.at(
        origin.location,
        f"{where[0].upper()}{where[1:]} is a string in the code ({shown}) and {purposes}.",
        "Require the value from the environment, without a default, and replace the one that is known:\n"
        "```python\n"
        "class Settings(BaseSettings):\n"
        f"    {field}: SecretStr  # no default: the application does not start without it\n"
        "```",
        reasoning=f"The value never changes between deployments, and it {purposes} at {use.location}.",
        exploit=f"Somebody who has read {where} signs a token for any user and role, and is let in."
        if use.decides_access
        else f"Somebody who has read {where} signs or decrypts what only the application should.",
        confidence=_confidence(use),
        trace=steps(
            (origin.location, f"{holder} is a literal"),
            *((each.location, each.purpose) for each in decisive[:6]),
        ),
        context=Context(access="none" if use.decides_access else None, data="secret", writes=True),
        symbol=holder,
    )


def _confidence(use: SecretUse) -> Confidence:
    if use.purpose == "signs messages" and classify(use.origin.value) != "random":
        return (
            Confidence.TENTATIVE
        )  # a readable constant is often a label that keeps two uses of a digest apart
    if not use.sure or not use.decides_access or use.origin.may_be_replaced:
        return Confidence.FIRM
    return Confidence.CERTAIN


rule.bad = """
    from typing import Annotated

    import jwt
    from fastapi import FastAPI, Header, HTTPException

    SECRET_KEY = "9f2c41d7a6b84e0f8d35c7e1b2a09f64"  # finding: hardcoded-signing-secret

    app = FastAPI()

    @app.post("/login")
    def log_in() -> str:
        return jwt.encode({"sub": "guest", "role": "reader"}, SECRET_KEY, algorithm="HS256")

    @app.get("/payroll")
    def read_payroll(authorization: Annotated[str, Header()]) -> list[int]:
        try:
            claims = jwt.decode(authorization.removeprefix("Bearer "), SECRET_KEY, algorithms=["HS256"])
        except jwt.PyJWTError:
            raise HTTPException(401) from None
        if claims["role"] != "admin":
            raise HTTPException(403)
        return [5200, 6100]
"""

rule.good = """
    import os
    from typing import Annotated

    import jwt
    from fastapi import FastAPI, Header, HTTPException

    SECRET_KEY = os.environ["SECRET_KEY"]

    app = FastAPI()

    @app.post("/login")
    def log_in() -> str:
        return jwt.encode({"sub": "guest", "role": "reader"}, SECRET_KEY, algorithm="HS256")

    @app.get("/payroll")
    def read_payroll(authorization: Annotated[str, Header()]) -> list[int]:
        try:
            claims = jwt.decode(authorization.removeprefix("Bearer "), SECRET_KEY, algorithms=["HS256"])
        except jwt.PyJWTError:
            raise HTTPException(401) from None
        if claims["role"] != "admin":
            raise HTTPException(403)
        return [5200, 6100]
"""


@rule.exploit
def a_reader_of_the_code_signs_an_admin_token(proof: Proof) -> None:
    """A token signed with the string from the code, by somebody who never logged in, opens /payroll."""
    import os
    import secrets

    import jwt

    os.environ["SECRET_KEY"] = secrets.token_hex(32)
    read_in_the_code = "9f2c41d7a6b84e0f8d35c7e1b2a09f64"
    forged = jwt.encode({"sub": "nobody", "role": "admin"}, read_in_the_code, algorithm="HS256")
    answer = proof.client.get("/payroll", headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 200
    assert answer.json() == [5200, 6100]
