"""Harmful: an address, or the header that a client writes itself, stands for a login. Harmless: a login beside it, what only reads,
a webhook of a provider, an address that is only kept, and one that limits how often."""

from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request

STATE = Path("state")
ALLOWED = ["10.0.0.5", "10.0.0.6"]
app = FastAPI()


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


def local_only(request: Request) -> None:
    host = request.client.host
    if host != "127.0.0.1":  # finding: client-address-taken-as-login
        raise HTTPException(403)


@app.post("/maintenance/reset", dependencies=[Depends(local_only)])
def reset() -> None:
    STATE.write_text("")


@app.get("/internal/flush")
def flush(request: Request) -> str:
    if request.headers.get("X-Forwarded-For") not in ALLOWED:  # finding: client-address-taken-as-login
        raise HTTPException(403)
    STATE.write_text("flushed")
    return "flushed"


@app.post("/maintenance/both")
def both(request: Request, user: Annotated[str, Depends(current_user)]) -> None:
    if request.client.host != "127.0.0.1":
        raise HTTPException(403)
    STATE.write_text(user)


@app.get("/internal/state")
def state(request: Request) -> str:
    if request.client.host != "127.0.0.1":
        raise HTTPException(403)
    return "running"


@app.post("/hooks/payments")
def paid(request: Request) -> None:
    if request.client.host not in ALLOWED:
        raise HTTPException(403)
    STATE.write_text("paid")


@app.post("/visits", dependencies=[Depends(current_user)])
def visit(request: Request) -> None:
    if request.client.host != "127.0.0.1":
        STATE.write_text(request.client.host)
