"""The branch does what is done without it."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    skip_login: bool = True
    allow_anonymous: bool = True


settings = Settings()


def reader(authorization: Annotated[str | None, Header()] = None) -> str | None:
    if authorization is not None:
        if authorization != "Bearer alice":
            raise HTTPException(401)
        return "alice"
    else:
        if settings.allow_anonymous:
            return None
        else:
            # The socket asks in its first message.
            return None


def other_reader(authorization: Annotated[str | None, Header()] = None) -> str | None:
    if authorization is not None:
        if authorization != "Bearer alice":
            raise HTTPException(401)
        return "alice"
    if settings.allow_anonymous:
        return None
    return None


def writer(authorization: Annotated[str | None, Header()] = None) -> str | None:
    if settings.skip_login:  # finding: auth-bypass-flag
        return None
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


app = FastAPI()


@app.get("/me")
def me(user: Annotated[str | None, Depends(reader)]) -> str | None:
    return user


@app.get("/me-too")
def me_too(user: Annotated[str | None, Depends(other_reader)]) -> str | None:
    return user


@app.post("/orders")
def order(user: Annotated[str | None, Depends(writer)]) -> str | None:
    return user
