"""A bearer token is sent by the page's own script, never by the browser itself."""

from typing import Annotated

from fastapi import Depends, FastAPI, Form, HTTPException
from fastapi.security import OAuth2PasswordBearer

scheme = OAuth2PasswordBearer(tokenUrl="token")
app = FastAPI()


def current_user(token: Annotated[str, Depends(scheme)]) -> str:
    if token != "t":
        raise HTTPException(401)
    return "alice"


@app.post("/transfers")
def transfer(user: Annotated[str, Depends(current_user)], amount: Annotated[int, Form()]) -> None: ...
