"""Routers come from factories; their guard calls a token object that raises by itself."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from fastapi_jwt_auth import AuthJWT


def get_auth() -> AuthJWT:
    return AuthJWT()


async def auth_required(auth: Annotated[AuthJWT, Depends(get_auth)]):
    auth.jwt_required()
    yield


def create_notes() -> APIRouter:
    router = APIRouter(prefix="/notes", dependencies=[Depends(auth_required)])

    @router.post("")
    def write_note(text: str) -> None:
        Path("note.txt").write_text(text)

    return router


def create_routes() -> APIRouter:
    root = APIRouter(prefix="/v1")
    root.include_router(create_notes())
    return root


app = FastAPI()
app.include_router(create_routes())
