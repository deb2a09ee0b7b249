"""A router is made by a function that adds its guard to a list where a switch is on: who turns it off lets everybody in."""

from pathlib import Path
from typing import Any, cast

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, WebSocket
from starlette.authentication import BaseUser
from starlette.requests import HTTPConnection

NOTES = Path("notes")
notes = APIRouter()
drafts = APIRouter()
open_notes = APIRouter()


class Member(BaseUser):
    claims: dict[str, Any]


async def claims_of(connection: HTTPConnection, *, websocket: bool) -> dict[str, Any]:
    if not isinstance((user := connection.user), Member):
        raise HTTPException(status_code=401, detail="Invalid token")
    return user.claims


async def is_authenticated(
    request: Request = cast(Request, None),
    websocket: WebSocket = cast(WebSocket, None),
) -> None:
    assert request or websocket
    connection: HTTPConnection = request if request is not None else websocket
    claims = await claims_of(connection, websocket=request is None)
    if claims.get("audience"):
        raise HTTPException(status_code=401, detail="Not for this resource")


def not_while_read_only(request: Request) -> None:
    if request.app.state.read_only:
        raise HTTPException(status_code=405, detail="Read only")


@notes.get("/notes")
def list_notes() -> list[str]:
    return sorted(path.name for path in NOTES.glob("*"))


@notes.post("/notes/{note_id}")
def write_note(note_id: int, text: str) -> str:
    (NOTES / str(note_id)).write_text(text)
    return "written"


@drafts.post("/drafts/{draft_id}")
def write_draft(draft_id: int, text: str) -> str:
    (NOTES / str(draft_id)).write_text(text)
    return "written"


@open_notes.post("/open/{note_id}")
def write_openly(note_id: int, text: str) -> str:  # finding: unauthenticated-state-changing-route
    (NOTES / str(note_id)).write_text(text)
    return "written"


def create_router(authentication_enabled: bool) -> APIRouter:
    dependencies = [Depends(not_while_read_only)]
    if authentication_enabled:
        dependencies.append(Depends(is_authenticated))
    router = APIRouter(prefix="/v1", dependencies=dependencies)
    inner = APIRouter(dependencies=[Depends(not_while_read_only)] if authentication_enabled else [])
    inner.include_router(notes)
    router.include_router(inner)
    router.include_router(drafts)
    return router


def create_open_router(read_only: bool) -> APIRouter:
    dependencies = []
    if read_only:
        dependencies.append(Depends(not_while_read_only))
    router = APIRouter(prefix="/v1", dependencies=dependencies)
    router.include_router(open_notes)
    return router


def create_app(authentication_enabled: bool) -> FastAPI:
    app = FastAPI()
    app.include_router(create_router(authentication_enabled))
    app.include_router(create_open_router(False))
    return app


app = create_app(True)
