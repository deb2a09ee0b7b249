"""Overrides that have an effect: of what routes depend on, directly or below another dependency."""

from typing import Annotated

from fastapi import Depends, FastAPI


def get_url() -> str:
    return "sqlite://"


def get_session(url: Annotated[str, Depends(get_url)]) -> str:
    return f"session of {url}"


def unused() -> str:
    return "unused"


app = FastAPI()


@app.get("/")
def read(session: Annotated[str, Depends(get_session)]) -> str:
    return session
