"""A header that a form cannot send is required, and elsewhere JSON is asked for by a recent FastAPI."""

from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, Form, Header, HTTPException
from pydantic import BaseModel


class Address(BaseModel):
    street: str


def current_user(session: Annotated[str, Cookie()]) -> str:
    if session != "s":
        raise HTTPException(401)
    return "alice"


app = FastAPI()


@app.post("/transfers", dependencies=[Depends(current_user)])
def transfer(amount: Annotated[int, Form()], x_requested_with: Annotated[str, Header()]) -> None: ...


@app.post("/addresses", dependencies=[Depends(current_user)])
def add_address(address: Address) -> None: ...
