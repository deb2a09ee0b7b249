"""Refresh tokens have a key of their own; mails carry an audience that the decoder refuses."""

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException

ACCESS_KEY = os.environ["ACCESS_KEY"]
REFRESH_KEY = os.environ["REFRESH_KEY"]
app = FastAPI()


def create_access_token(name: str) -> str:
    claims = {"sub": name, "aud": "api", "exp": datetime.now(UTC) + timedelta(minutes=5)}
    return jwt.encode(claims, ACCESS_KEY, algorithm="HS256")


def create_refresh_token(name: str) -> str:
    claims = {"sub": name, "exp": datetime.now(UTC) + timedelta(days=5)}
    return jwt.encode(claims, REFRESH_KEY, algorithm="HS256")


def create_reset_token(name: str) -> str:
    claims = {"sub": name, "aud": "reset", "exp": datetime.now(UTC) + timedelta(hours=1)}
    return jwt.encode(claims, ACCESS_KEY, algorithm="HS256")


def current_user(authorization: Annotated[str, Header()]) -> str:
    try:
        return jwt.decode(authorization, ACCESS_KEY, algorithms=["HS256"], audience="api")["sub"]
    except jwt.PyJWTError:
        raise HTTPException(401) from None


@app.get("/me")
def read_me(user: Annotated[str, Depends(current_user)]) -> str:
    return user
