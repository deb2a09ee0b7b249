"""Harmful: a header that says who is calling. Harmless: a header beside a verified token, a header about something else."""

import hmac
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException

ORDERS = {"1": ["one harp"]}
SHARED = b"shared"


def current_user(x_user_id: Annotated[str | None, Header()] = None) -> str:  # finding: client-supplied-identity-trusted
    if x_user_id is None:
        raise HTTPException(401)
    return x_user_id


def signed_user(x_user_id: Annotated[str, Header()], x_signature: Annotated[str, Header()]) -> str:
    expected = hmac.new(SHARED, x_user_id.encode(), "sha256").hexdigest()
    if not hmac.compare_digest(expected, x_signature):
        raise HTTPException(401)
    return x_user_id


app = FastAPI()


@app.get("/orders")
def orders(user: Annotated[str, Depends(current_user)]) -> list[str]:
    return ORDERS.get(user, [])


@app.get("/signed-orders")
def signed_orders(user: Annotated[str, Depends(signed_user)]) -> list[str]:
    return ORDERS.get(user, [])


@app.get("/agents")
def agents(x_user_agent_family: Annotated[str | None, Header()] = None) -> str | None:
    return x_user_agent_family
