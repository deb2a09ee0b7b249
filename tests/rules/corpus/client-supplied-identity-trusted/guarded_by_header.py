"""Harmful: the guard of the whole application believes a header, too."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException

ORDERS = {"1": ["one harp"]}


def current_user(x_user_id: Annotated[str | None, Header()] = None) -> str:  # finding: client-supplied-identity-trusted
    if x_user_id is None:
        raise HTTPException(401)
    return x_user_id


app = FastAPI(dependencies=[Depends(current_user)])


@app.get("/orders")
def orders(user: Annotated[str, Depends(current_user)]) -> list[str]:
    return ORDERS.get(user, [])
