"""Where the name comes from, and what is done with the file."""

import os
import shutil
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import aiofiles
from fastapi import Body, Cookie, FastAPI, File, Form, Header, HTTPException, Request, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel

app = FastAPI()
FOLDER = Path("/srv/reports")


class Wanted(BaseModel):
    name: str
    number: int


@app.get("/query")
def query(name: str):
    return FileResponse(FOLDER / name)  # finding: path-traversal-read-or-delete


@app.get("/whole/{name:path}")
def whole(name: str):
    return FileResponse(FOLDER / name)  # finding: path-traversal-read-or-delete


@app.get("/segment/{name}")
def segment(name: str):
    return FileResponse(FOLDER / name)


@app.delete("/segment/{name}")
def folder_of_a_segment(name: str):
    shutil.rmtree(FOLDER / name)  # finding: path-traversal-read-or-delete - `..` is a folder


@app.delete("/glued/{name}")
def folder_of_a_glued_segment(name: str):
    shutil.rmtree(FOLDER / f"report-{name}")


@app.post("/body")
def body(wanted: Wanted):
    return (FOLDER / wanted.name).read_text()  # finding: path-traversal-read-or-delete


@app.post("/number")
def number(wanted: Wanted):
    return (FOLDER / f"{wanted.number}.txt").read_text()


@app.post("/form")
def form(name: Annotated[str, Form()]):
    os.remove(os.path.join("/srv/reports", name))  # finding: path-traversal-read-or-delete


@app.get("/header")
def header(report: Annotated[str, Header()], theme: Annotated[str, Cookie()] = "plain"):
    with open(f"/srv/reports/{report}") as file:  # finding: path-traversal-read-or-delete
        first = file.read()
    return first + Path("/srv/themes", theme).read_text()  # finding: path-traversal-read-or-delete


@app.post("/moved")
def moved(old: Annotated[str, Body()], new: Annotated[str, Body()]):
    shutil.move(FOLDER / "new", FOLDER / new)  # finding: path-traversal-read-or-delete
    return os.listdir(FOLDER / old)  # finding: path-traversal-read-or-delete


@app.get("/read")
async def read(request: Request):
    async with aiofiles.open(FOLDER / request.query_params["name"]) as file:  # finding: path-traversal-read-or-delete
        return await file.read()


@app.get("/uuid/{report}")
def by_uuid(report: UUID):
    return FileResponse(FOLDER / f"{report}.pdf")


@app.get("/literal")
def literal(kind: Literal["day", "month"]):
    return FileResponse(FOLDER / kind)


@app.post("/upload")
def upload(file: UploadFile):
    return shutil.copyfileobj(file.file, open(FOLDER / "upload", "wb"))


@app.post("/bytes")
def raw(content: Annotated[bytes, File()]):
    (FOLDER / "raw").write_bytes(content)


@app.get("/made")
def made(name: str):
    if not (FOLDER / name).exists():
        raise HTTPException(404)
    (FOLDER / "cache" / name).mkdir()
    return {}
