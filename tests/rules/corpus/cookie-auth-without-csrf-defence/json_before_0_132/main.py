"""An older FastAPI reads JSON from a form that says it is text."""

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel
from starlette.middleware.sessions import SessionMiddleware


class Address(BaseModel):
    street: str


def current_user(request: Request) -> str:
    if "user" not in request.session:
        raise HTTPException(401)
    return request.session["user"]


app = FastAPI()  # finding: cookie-auth-without-csrf-defence
app.add_middleware(SessionMiddleware, secret_key="k", https_only=True)


@app.post("/addresses", dependencies=[Depends(current_user)])
def add_address(address: Address) -> None: ...
