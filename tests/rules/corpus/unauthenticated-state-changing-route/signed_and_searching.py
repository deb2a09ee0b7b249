"""A signed notification, a login, a search and an application by POST: none of them is an open write."""

import hashlib
import hmac
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request

SECRET = b"s"


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization is None:
        raise HTTPException(401)
    return authorization


app = FastAPI()
router = APIRouter(dependencies=[Depends(current_user)])


@router.put("/orders/{number}")
def replace_order(number: int, text: str) -> None:
    Path(f"{number}.txt").write_text(text)


@app.post("/payments/notices")
async def take_notice(request: Request, x_sum: Annotated[str, Header()]) -> None:
    body = await request.body()
    expected = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, x_sum):
        raise HTTPException(400)
    Path("paid.txt").write_bytes(body)


class WrongSum(Exception):
    """Answered by a handler of its own."""


class Unlucky(Exception):
    """Not about who is calling."""


async def signed(request: Request) -> None:
    expected = hmac.new(SECRET, await request.body(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("x-sum", "")):
        raise WrongSum


async def lucky(request: Request) -> None:
    if len(request.headers) == 13:
        raise Unlucky


@app.put("/departments", dependencies=[Depends(signed)])
def replace_departments(text: str) -> None:
    Path("departments.txt").write_text(text)


@app.put("/wheels", dependencies=[Depends(lucky)])
def replace_wheels(text: str) -> None:  # finding: unauthenticated-state-changing-route
    Path("wheels.txt").write_text(text)


@app.post("/jobs/{number}/applications")
def apply_to_job(number: int, text: str) -> None:  # silent: whoever applies has no account
    Path(f"{number}.txt").write_text(text)


@app.post("/auth/login")
def login(name: str) -> str:
    Path("logins.txt").write_text(name)
    return "token"


@app.post("/orders/search")
def search_orders(words: list[str]) -> list[str]:
    return [word.upper() for word in words]


app.include_router(router)
