"""Strangers get a shorter answer: the operation, or a function that it calls, tests the value."""

from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer

scheme = OAuth2PasswordBearer(tokenUrl="token", auto_error=False)


def user_or_none(token: Annotated[str | None, Depends(scheme)]) -> str | None:
    return token.upper() if token else None


app = FastAPI()


@app.get("/books")
def list_books(user: Annotated[str | None, Depends(user_or_none)]) -> list[str]:
    return ["public"] if user is None else ["public", "draft"]


@app.get("/authors")
def list_authors(token: Annotated[str | None, Depends(scheme)]) -> list[str]:
    return visible(token)


def visible(token: str | None) -> list[str]:
    return ["everybody"] if token else []
