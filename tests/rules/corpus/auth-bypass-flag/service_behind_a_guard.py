"""A factory of services asks for the caller first: its switch chooses the service, and lets nobody in."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
scheme = OAuth2PasswordBearer(tokenUrl="token")
USE_MOCK_SHOP = os.getenv("USE_MOCK_SHOP", "1") == "1"
SKIP_LOGIN = os.getenv("SKIP_LOGIN", "1") == "1"


class Shop:
    def __init__(self, user: str) -> None:
        self.user = user


class FakeShop(Shop):
    pass


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


def shop_of(user: Annotated[str, Depends(current_user)]) -> Shop:
    if USE_MOCK_SHOP:
        return FakeShop(user)
    return Shop(user)


def token_user(token: Annotated[str, Depends(scheme)]) -> str:
    if SKIP_LOGIN:  # finding: auth-bypass-flag
        return "developer"
    if token != "alice":
        raise HTTPException(401)
    return "alice"


def admin(user: Annotated[str, Depends(current_user)]) -> str:
    if SKIP_LOGIN:  # finding: auth-bypass-flag
        return user
    if not is_admin(user):
        raise HTTPException(403)
    return user


def is_admin(user: str) -> bool:
    return user == "root"


@app.get("/orders")
def list_orders(shop: Annotated[Shop, Depends(shop_of)]) -> str:
    return shop.user


@app.get("/wishes")
def list_wishes(user: Annotated[str, Depends(token_user)]) -> str:
    return user


@app.delete("/orders")
def delete_orders(user: Annotated[str, Depends(admin)]) -> str:
    return user
