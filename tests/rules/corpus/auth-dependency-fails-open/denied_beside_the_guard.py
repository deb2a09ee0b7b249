"""A policy that leaves unknown tokens to the guard beside it, and the same policy where no guard stands beside it."""

import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException

KEY = os.environ["KEY"]
app = FastAPI()


def deny_scripts(token: Annotated[str, Header()]) -> None:
    try:
        claims = jwt.decode(token, KEY, algorithms=["HS256"])
    except jwt.PyJWTError:
        return
    if claims["origin"] == "script":
        raise HTTPException(403)


def deny_robots(token: Annotated[str, Header()]) -> None:
    try:
        claims = jwt.decode(token, KEY, algorithms=["HS256"])
    except jwt.PyJWTError:
        return  # finding: auth-dependency-fails-open
    if claims["origin"] == "robot":
        raise HTTPException(403)


def current_user(token: Annotated[str, Header()]) -> str:
    try:
        return jwt.decode(token, KEY, algorithms=["HS256"])["sub"]
    except jwt.PyJWTError as error:
        raise HTTPException(401) from error


@app.post("/runs", dependencies=[Depends(deny_scripts)])
def run(user: Annotated[str, Depends(current_user)]) -> str:
    return user


@app.get("/health", dependencies=[Depends(deny_scripts)])
def health() -> str:
    return "up"


@app.post("/jobs", dependencies=[Depends(deny_robots)])
def start() -> str:
    return "started"
