"""The unverified issuer chooses the way, and a function verifies the token; another one only looks at its length."""

from typing import Annotated, Any

import jwt
from fastapi import FastAPI, Header, HTTPException

KEYS = {"https://login.example.com": "-----BEGIN PUBLIC KEY-----"}
app = FastAPI()


async def verified(token: str, issuers: list[str]) -> dict[str, Any] | None:
    try:
        return jwt.decode(token, KEYS[issuers[0]], algorithms=["ES256"])
    except jwt.PyJWTError:
        return None


def is_short(token: str) -> bool:
    return len(token) < 4000


@app.get("/me")
async def read_me(token: Annotated[str, Header()], claims: str | None = None) -> str:
    unverified = jwt.decode(token, options={"verify_signature": False})
    issuer, tenant = unverified.get("iss"), unverified.get("tenant")
    checked = await verified(token, [str(issuer)])
    if checked is None:
        raise HTTPException(401)
    return f"{checked['sub']} of {tenant}"


@app.get("/you")
async def read_you(token: Annotated[str, Header()]) -> str:
    if not is_short(token):
        raise HTTPException(401)
    unverified = jwt.decode(token, options={"verify_signature": False})  # finding: jwt-signature-not-verified
    return unverified["sub"]
