"""Every name is read: by an alias, by a dependency of the router, from `request.path_params`, by a converter's
name.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Path, Request

router = APIRouter(prefix="/tenants/{tenant}")


def check_tenant(tenant: str) -> None:
    assert tenant


@router.get("/files/{file_path:path}", dependencies=[Depends(check_tenant)])
def read_file(file_path: str) -> str:
    return file_path


@router.get("/notes/{noteId}", dependencies=[Depends(check_tenant)])
def read_note(note_id: Annotated[int, Path(alias="noteId")], full: bool) -> str:
    return f"{note_id}{full}"


@router.get("/raw/{key}")
def read_raw(request: Request) -> dict[str, str]:
    return taken_from(request)


def taken_from(request: Request) -> dict[str, str]:
    return dict(request.path_params)


app = FastAPI()
app.include_router(router)
