"""The unverified issuer chooses the way, and a function verifies the token; another one only looks at its length."""

import asyncio
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


async def verified_in_a_thread(token: str, **options: Any) -> dict[str, Any]:
    return await asyncio.to_thread(jwt.decode, token, KEYS["https://login.example.com"], **options)


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


@app.get("/them")
async def read_them(token: Annotated[str, Header()]) -> str:
    tenant = jwt.decode(token, options={"verify_signature": False})["tenant"]
    checked = await verified_in_a_thread(token, algorithms=["ES256"])
    return f"{checked['sub']} of {tenant}"
