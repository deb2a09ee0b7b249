"""Pages that are registered on an application which a caller outside this tree hands in."""

from pathlib import Path

from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.responses import FileResponse

DIST = Path(__file__).parent / "dist"


def add_pages(app):
    @app.get("/{name:path}", include_in_schema=False)
    async def page(name: str):
        path = DIST / name
        if path.is_file():
            return FileResponse(path)  # finding: path-traversal-read-or-delete
        raise HTTPException(404)


def add_checked_pages(application: FastAPI):
    @application.get("/checked/{name:path}", include_in_schema=False)
    async def checked_page(name: str):
        path = (DIST / name).resolve()
        if path.is_relative_to(DIST.resolve()) and path.is_file():
            return FileResponse(path)
        raise HTTPException(404)


def register(router: APIRouter) -> None:
    mount_covers(router, "/covers")


def mount_covers(router: APIRouter, prefix: str) -> None:
    router.get(prefix + "/{name:path}")(read_cover)
    router.get(prefix + "/{number}/text")(read_text)


async def read_cover(name: str):
    return FileResponse(DIST / "covers" / name)  # finding: path-traversal-read-or-delete


async def read_text(number: int):
    return FileResponse(DIST / f"{number}.txt")
