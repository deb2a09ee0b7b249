"""Harmful: one of the routes that run commands does not call the check that the others call first. Harmless: a command that is the
same for everybody, a route that runs nothing, and one that calls a check of its own."""

import subprocess

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from workbench.security import check_access, check_admin, forbid_remote_access

router = APIRouter()
server = object()


class Folder(BaseModel):
    client_id: str
    path: str


@router.post("/open_editor")
def open_editor(folder: Folder) -> None:
    check_access(server, folder.client_id)
    forbid_remote_access(server)
    subprocess.Popen(["code", folder.path])


@router.post("/open_terminal")
def open_terminal(folder: Folder) -> None:
    client = check_access(server, folder.client_id)
    subprocess.Popen(["xterm", folder.path, str(client)])


@router.post("/open_folder")
def open_folder(folder: Folder) -> None:
    check_access(server, folder.client_id)
    subprocess.Popen(["xdg-open", folder.path])


@router.post("/compress")
def compress(folder: Folder) -> None:
    check_access(server, folder.client_id)
    subprocess.Popen(["tar", "cf", "all.tar", folder.path])


@router.post("/open_file")
def open_file(folder: Folder) -> None:  # finding: router-auth-outlier
    forbid_remote_access(server)
    subprocess.Popen(["xdg-open", folder.path])


@router.post("/restart")
def restart(folder: Folder) -> None:
    check_admin(server, folder.client_id)
    subprocess.Popen(["systemctl", "restart", folder.path])


@router.get("/machine")
def machine() -> str:
    return subprocess.run(["uname"], capture_output=True, text=True, check=True).stdout


@router.post("/echo")
def echo(folder: Folder) -> str:
    return folder.path


app = FastAPI()
app.include_router(router)
