"""The alias itself lacks `Depends`, so every handler that uses it is open; the second alias is well."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request


class Account:
    def __init__(self, name: str) -> None:
        self.name = name


async def current_account(request: Request):
    if "session" not in request.cookies:
        raise HTTPException(status_code=401)
    return Account(request.cookies["session"])


Open = Annotated[str, current_account]
Closed = Annotated[Account, Depends(current_account)]
router = APIRouter()


@router.get("/open")
async def read_open(account: Open = "") -> str:  # finding: auth-dependency-not-wrapped-in-depends
    return account


@router.get("/closed")
async def read_closed(account: Closed) -> str:
    return account.name


app = FastAPI()
app.include_router(router)
