"""Who sends nothing and who sends a wrong token are the same guest; elsewhere only the wrong token makes somebody known."""

import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Header

KEY = os.environ["KEY"]
app = FastAPI()


class Visitor:
    def __init__(self, name: str, role: str) -> None:
        self.name = name
        self.role = role


def visitor(token: Annotated[str | None, Header()] = None) -> Visitor:
    guest = {"name": "guest", "role": "reader"}
    if not token:
        return Visitor(**guest)
    try:
        return Visitor(jwt.decode(token, KEY, algorithms=["HS256"])["sub"], "writer")
    except jwt.PyJWTError:
        return Visitor(**guest)


def member(token: Annotated[str | None, Header()] = None) -> Visitor:
    if not token:
        return Visitor("guest", "reader")
    try:
        return Visitor(jwt.decode(token, KEY, algorithms=["HS256"])["sub"], "writer")
    except jwt.PyJWTError:
        return Visitor("member", "writer")  # finding: auth-dependency-fails-open


def operator(token: Annotated[str | None, Header()] = None) -> Visitor:
    if not token:
        return Visitor("root", "admin")
    try:
        return Visitor(jwt.decode(token, KEY, algorithms=["HS256"])["sub"], "reader")
    except jwt.PyJWTError:
        return Visitor("root", "admin")  # finding: auth-dependency-fails-open


@app.get("/pages")
def pages(who: Annotated[Visitor, Depends(visitor)]) -> str:
    return who.name


@app.get("/drafts")
def drafts(who: Annotated[Visitor, Depends(member)]) -> str:
    return who.name


@app.get("/switches")
def switches(who: Annotated[Visitor, Depends(operator)]) -> str:
    return who.name
