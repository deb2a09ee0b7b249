"""Every failure ends in a refusal: in the `except`, behind it, or in the one receiver that tests for None."""

import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException

KEY = os.environ["KEY"]
app = FastAPI()


def claims(token: Annotated[str, Header()]) -> dict[str, str]:
    try:
        return jwt.decode(token, KEY, algorithms=["HS256"])
    except jwt.ExpiredSignatureError as error:
        raise HTTPException(401, "expired") from error
    except jwt.PyJWTError as error:
        raise HTTPException(401) from error


def optional_user(token: Annotated[str, Header()] = "") -> str | None:
    try:
        return jwt.decode(token, KEY, algorithms=["HS256"])["sub"]
    except jwt.PyJWTError:
        return None


def current_user(user: Annotated[str | None, Depends(optional_user)]) -> str:
    if user is None:
        raise HTTPException(401)
    return user


@app.get("/orders")
def list_orders(user: Annotated[str, Depends(current_user)], found: Annotated[dict[str, str], Depends(claims)]) -> list[str]:
    return [user, found["sub"]]


@app.get("/books")
def list_books(user: Annotated[str | None, Depends(optional_user)]) -> list[str]:
    return ["public"] if user is None else ["public", "draft"]
