"""Answers with tokens that are meant for the caller: after a login, and after a code has been used."""

import secrets

from fastapi import FastAPI

app = FastAPI()
sessions: dict[str, str] = {}


@app.post("/login")
def log_in(name: str) -> dict[str, str]:
    token = secrets.token_hex(16)
    sessions[token] = name
    return {"token": token}


@app.post("/orders/{number}/codes")
def make_code(number: int) -> dict[str, str]:
    code = secrets.token_hex(4)
    return {"code": code}
