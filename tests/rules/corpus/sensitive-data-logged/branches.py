"""Records where nothing is left to write, and records where something is."""

import logging

from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

app = FastAPI()
logger = logging.getLogger(__name__)


class Account(BaseModel):
    sub: str
    api_key: str


class Guest(BaseModel):
    sub: str


def id_of(user: Account | Guest) -> str:
    try:
        return user.sub
    except Exception as error:
        logger.exception("no id in %s", user)
        raise HTTPException(401) from error


def stored(user: Account) -> str:
    try:
        return save(user)
    except Exception as error:
        logger.exception("not stored: %s", user)  # finding: sensitive-data-logged
        raise HTTPException(500) from error


def save(user: Account) -> str:
    return user.sub


def authenticated(token: str) -> str:
    if not token:
        logger.warning("no token: %s", token)
        raise HTTPException(401)
    if token:
        logger.warning("a token: %s", token)  # finding: sensitive-data-logged
    return token


def priced(provider: str | None) -> None:
    logger.info("no price of %s", provider)


@app.get("/me")
def me(auth_token: str = Header()) -> str:
    account = Account(sub=authenticated(auth_token), api_key="k")
    provider = account
    priced(provider)
    provider = account.sub
    return id_of(account) + stored(account)
