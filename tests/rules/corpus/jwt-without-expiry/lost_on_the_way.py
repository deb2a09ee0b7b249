"""The expiry is only set when a caller asks for it, and one does not; and one decoder looks away."""

import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI

KEY = os.environ["KEY"]
app = FastAPI()


def sign(data: dict[str, object], lifetime: timedelta | None = None) -> str:
    claims = data.copy()
    if lifetime:
        claims["exp"] = datetime.now(UTC) + lifetime
    return jwt.encode(claims, KEY, algorithm="HS256")  # finding: jwt-without-expiry


@app.post("/login")
def log_in(name: str) -> list[str]:
    return [sign({"sub": name}, timedelta(minutes=5)), sign({"sub": name, "scope": "feed"})]


@app.get("/feed")
def feed(token: str) -> str:
    claims = jwt.decode(token, KEY, algorithms=["HS256"], options={"verify_exp": False})  # finding: jwt-without-expiry
    return claims["sub"]
