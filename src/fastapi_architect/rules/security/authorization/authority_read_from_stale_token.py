"""A right is read from a token, although its user was loaded for the same request.

What a token says of a role was true when it was made. An administrator who is demoted keeps the right for as long as the token
lives, and for ever where tokens are renewed. Here the row that knows better was loaded, to see whether the user is still active,
and is dropped.

Known limits: applications that never load the user are left alone: short-lived tokens are their choice. The row's class must be known,
and have a field of the claim's name.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.stale_claims import StaleClaim, stale_claims
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Proof,
    Rule,
    Severity,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A right is read from a token although the user's row is at hand",
    severity=Severity.IMPORTANT,
    cwe=613,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Authorization_Cheat_Sheet.html",
        "https://datatracker.ietf.org/doc/html/rfc8725",
    ),
    requires=("pyjwt",),
)


@rule.check(per=AppGraph)
def right_of_yesterday(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for each in stale_claims(graph):
        yield _finding(each)


def _finding(each: StaleClaim) -> Finding:
    loaded = each.loaded
    row = f"{loaded.row}.{each.right}"
    return rule.at(
        each.test,
        f"`{each.function.name}` reads `{each.written}` from the token, although `{loaded.function.name}` loads the user: what the "
        f"row says of `{each.right}` now is not asked.",
        f"Give out the row, or put what it says into the claims, and test that:\n```python\nif not {row}:\n"
        "    raise HTTPException(status_code=403)\n```",
        reasoning=f"`{loaded.cls.name}` has `{each.right}`, too, and is at hand; the token says what was true when it was made.",
        exploit=f"An administrator is demoted and goes on calling `{each.operations[0]}` with the token of before.",
        confidence=Confidence.FIRM,
        trace=steps(
            (loaded.site, f"`{loaded.row}` is loaded, and dropped"),
            (each.test, f"`{each.written}` is what the token says"),
        ),
        routes=routes_of(each.operations[:20]),
        context=Context(missing_check=True, data="personal", writes=any(o.is_write for o in each.operations)),
        symbol=each.function.full_name,
    )


_APP = """
    import os
    from typing import Annotated

    import jwt
    from fastapi import Depends, FastAPI, Header, HTTPException
    from pydantic import BaseModel

    KEY = os.environ["TOKEN_KEY"]
    app = FastAPI()

    class User(BaseModel):
        name: str
        is_active: bool
        is_admin: bool

    class Claims(BaseModel):
        name: str
        is_admin: bool

    USERS = {"mary": User(name="mary", is_active=True, is_admin=True)}

    def find_user(name: str) -> User | None:
        return USERS.get(name)

    def read_token(token: str) -> Claims:
        try:
            return Claims(**jwt.decode(token, KEY, algorithms=["HS256"], options={"require": ["exp"]}))
        except jwt.PyJWTError:
            raise HTTPException(401) from None
"""

_ROUTE = """
    @app.delete("/books/{book_id}")
    def remove_book(book_id: int, admin: Annotated[%s, Depends(require_admin)]) -> str:
        return f"{admin.name} removed {book_id}"
"""

rule.bad = (
    _APP
    + """
    def current_user(authorization: Annotated[str, Header()]) -> Claims:
        claims = read_token(authorization.removeprefix("Bearer "))
        user = find_user(claims.name)
        if user is None or not user.is_active:
            raise HTTPException(401)
        return claims

    def require_admin(user: Annotated[Claims, Depends(current_user)]) -> Claims:
        if not user.is_admin:  # finding: authority-read-from-stale-token
            raise HTTPException(403)
        return user
"""
    + _ROUTE % "Claims"
)

rule.good = (
    _APP
    + """
    def current_user(authorization: Annotated[str, Header()]) -> User:
        claims = read_token(authorization.removeprefix("Bearer "))
        user = find_user(claims.name)
        if user is None or not user.is_active:
            raise HTTPException(401)
        return user

    def require_admin(user: Annotated[User, Depends(current_user)]) -> User:
        if not user.is_admin:
            raise HTTPException(403)
        return user
"""
    + _ROUTE % "User"
)


@rule.exploit
def a_demoted_administrator_removes_a_book(proof: Proof) -> None:
    """Mary is no longer an administrator, and removes a book with the token of before."""
    import os
    import secrets
    from datetime import UTC, datetime, timedelta

    import jwt

    os.environ["TOKEN_KEY"] = secrets.token_hex(32)
    shop = proof.module()
    claims = {"name": "mary", "is_admin": True, "exp": datetime.now(UTC) + timedelta(hours=1)}
    token = jwt.encode(claims, shop.KEY, algorithm="HS256")
    shop.USERS["mary"].is_admin = False
    answer = proof.client.delete("/books/7", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
