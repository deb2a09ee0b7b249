"""python-jose without a list accepts what the header says; with `none` in the list nobody needs to sign."""

from fastapi import FastAPI
from jose import jwt

from keys import KEY

app = FastAPI()


@app.get("/a")
def left_out(token: str) -> dict[str, str]:
    return jwt.decode(token, KEY)  # finding: jwt-algorithm-not-pinned


@app.get("/b")
def with_none(token: str) -> dict[str, str]:
    return jwt.decode(token, KEY, algorithms=["RS256", "none"])  # finding: jwt-algorithm-not-pinned


@app.get("/c")
def mixed(token: str) -> dict[str, str]:
    return jwt.decode(token, KEY, algorithms=["RS256", "HS256"])  # finding: jwt-algorithm-not-pinned


@app.get("/d")
def pinned(token: str) -> dict[str, str]:
    return jwt.decode(token, KEY, algorithms="RS256")
