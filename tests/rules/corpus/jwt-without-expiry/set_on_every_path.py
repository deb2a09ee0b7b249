"""The expiry comes from both branches, from an update, and from the caller."""

import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI

KEY = os.environ["KEY"]
app = FastAPI()


def sign(data: dict[str, object], lifetime: timedelta | None = None) -> str:
    claims = data.copy()
    if lifetime:
        expire = datetime.now(UTC) + lifetime
    else:
        expire = datetime.now(UTC) + timedelta(minutes=15)
    claims.update({"exp": expire})
    return jwt.encode(claims, KEY, algorithm="HS256")


def sign_either(name: str, long: bool) -> str:
    claims: dict[str, object] = {"sub": name}
    if long:
        claims["exp"] = datetime.now(UTC) + timedelta(days=7)
    else:
        claims["exp"] = datetime.now(UTC) + timedelta(minutes=7)
    return jwt.encode(claims, KEY, algorithm="HS256")


def sign_as_given(claims: dict[str, object]) -> str:
    return jwt.encode(claims, KEY, algorithm="HS256")


@app.post("/login")
def log_in(name: str) -> list[str]:
    given = {"sub": name, **{"exp": datetime.now(UTC) + timedelta(minutes=1)}}
    return [sign({"sub": name}), sign_either(name, True), sign_as_given(given)]
