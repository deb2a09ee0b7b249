"""Harmless: the whole application signs callers in, and a header says for which of their organisations they act."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request

SESSIONS = {"4f1c": "ada"}
MEMBERS = {("ada", "harpers")}
ORDERS = {"harpers": ["one harp"]}


def signed_in(request: Request) -> str:
    caller = SESSIONS.get(request.headers.get("authorization", ""))
    if caller is None:
        raise HTTPException(401)
    return caller


def organisation(
    caller: Annotated[str, Depends(signed_in)], x_organisation_id: Annotated[str, Header()]
) -> str:
    if (caller, x_organisation_id) not in MEMBERS:
        raise HTTPException(404)
    return x_organisation_id


app = FastAPI(dependencies=[Depends(signed_in)])


@app.post("/orders", status_code=201)
def order(organisation_id: Annotated[str, Depends(organisation)], what: str) -> list[str]:
    return [*ORDERS.get(organisation_id, []), what]
