"""A route that exchanges an access token for another makes no second kind, and a link to a file names nobody."""

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException

KEY = os.environ["KEY"]
app = FastAPI()


def create_access_token(data: dict[str, str]) -> str:
    claims = data.copy()
    claims["exp"] = datetime.now(UTC) + timedelta(minutes=5)
    return jwt.encode(claims, KEY, algorithm="HS256")


def create_reset_link(path: str) -> str:
    return jwt.encode({"file": path, "exp": datetime.now(UTC) + timedelta(days=7)}, KEY, algorithm="HS256")


def current_user(authorization: Annotated[str, Header()]) -> str:
    try:
        user = jwt.decode(authorization, KEY, algorithms=["HS256"]).get("sub")
    except jwt.PyJWTError:
        raise HTTPException(401) from None
    if user is None:
        raise HTTPException(401)
    return user


@app.post("/login")
def log_in(name: str) -> str:
    return create_access_token({"sub": name})


@app.get("/refresh")
def refresh_token(user: Annotated[str, Depends(current_user)]) -> str:
    access = create_access_token({"sub": user})
    return access
