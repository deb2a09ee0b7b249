"""There is one kind of token."""

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException

KEY = os.environ["KEY"]
app = FastAPI()


def create_access_token(name: str) -> str:
    return jwt.encode({"sub": name, "exp": datetime.now(UTC) + timedelta(minutes=5)}, KEY, algorithm="HS256")


def current_user(authorization: Annotated[str, Header()]) -> str:
    try:
        return jwt.decode(authorization, KEY, algorithms=["HS256"])["sub"]
    except jwt.PyJWTError:
        raise HTTPException(401) from None


@app.get("/me")
def read_me(user: Annotated[str, Depends(current_user)]) -> str:
    return user
