"""The route makes both kinds with the function for access tokens: the name it gives one of them says so."""

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException

KEY = os.environ["KEY"]
app = FastAPI()


def create_access_token(name: str, minutes: int) -> str:
    return jwt.encode({"sub": name, "exp": datetime.now(UTC) + timedelta(minutes=minutes)}, KEY, algorithm="HS256")


def current_user(authorization: Annotated[str, Header()]) -> str:
    try:
        return jwt.decode(authorization, KEY, algorithms=["HS256"])["sub"]  # finding: jwt-token-type-confusion
    except jwt.PyJWTError:
        raise HTTPException(401) from None


@app.post("/login")
def log_in(name: str) -> str:
    return create_access_token(name, 5)


@app.post("/refresh")
def refresh(user: Annotated[str, Depends(current_user)]) -> dict[str, str]:
    refresh_token = create_access_token(user, 50_000)
    return {"refresh": refresh_token}
