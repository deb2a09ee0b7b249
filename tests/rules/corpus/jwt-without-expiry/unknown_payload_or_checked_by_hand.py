"""A payload from elsewhere is not judged; joserfc leaves the check to the caller, who does it."""

import time
from typing import Any

import jwt
from fastapi import FastAPI, HTTPException
from joserfc import jwt as jose
from joserfc.jwk import OctKey

from settings import KEY, claims_for

key = OctKey.import_key(KEY)
app = FastAPI()


@app.post("/login")
def log_in(name: str) -> str:
    payload: dict[str, Any] = claims_for(name)
    return jwt.encode(payload, KEY, algorithm="HS256")


@app.get("/me")
def read_me(token: str) -> str:
    found = jose.decode(token, key, algorithms=["HS256"])
    if found.claims.get("exp", 0) < time.time():
        raise HTTPException(401)
    return str(found.claims["sub"])
