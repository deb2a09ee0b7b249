"""One route says by its decorator that it is open."""

from functools import wraps
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


def public_view(function):
    @wraps(function)
    async def run(*args, **kwargs):
        try:
            return await function(*args, **kwargs)
        except ValueError as error:
            raise HTTPException(400) from error

    return run


router = APIRouter(prefix="/codes")


@router.get("", dependencies=[Depends(current_user)])
def list_codes() -> list[str]:
    return ["A"]


@router.get("/{code}", dependencies=[Depends(current_user)])
def read_code(code: int) -> str:
    return "A"


@router.put("/{code}", dependencies=[Depends(current_user)])
def replace_code(code: int) -> str:
    return "A"


@router.delete("/{code}", dependencies=[Depends(current_user)])
def delete_code(code: int) -> str:
    return "A"


@router.post("/bulletins")
@public_view
async def list_bulletins(kind: str) -> str:
    return Path("bulletins").read_text()


app = FastAPI()
app.include_router(router)
