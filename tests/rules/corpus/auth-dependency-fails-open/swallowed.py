"""The exception of the verification becomes None, which the operation never looks at, or True, which it cannot tell."""

import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException

KEY = os.environ["KEY"]
app = FastAPI()


def current_user(token: Annotated[str, Header()]) -> str | None:
    try:
        return jwt.decode(token, KEY, algorithms=["HS256"])["sub"]
    except jwt.PyJWTError:
        return None  # finding: auth-dependency-fails-open


def signed_in(token: Annotated[str, Header()]) -> bool:
    try:
        jwt.decode(token, KEY, algorithms=["HS256"])
        return True
    except jwt.PyJWTError:
        return False  # finding: auth-dependency-fails-open


@app.get("/orders")
def list_orders(user: Annotated[str | None, Depends(current_user)]) -> list[str]:
    return ["three books"]


@app.get("/invoices", dependencies=[Depends(signed_in)])
def list_invoices() -> list[str]:
    return ["an invoice"]


def returned(token: Annotated[str, Header()]) -> HTTPException | str:
    if token != KEY:
        return HTTPException(status_code=401)  # finding: auth-dependency-fails-open
    return token


@app.get("/notes")
def list_notes(token: Annotated[str, Depends(returned)]) -> list[str]:
    return ["a note"]
