"""A file of a form is an upload; a field of JSON that is read by hand is none, whatever it is called."""

from pathlib import Path

from fastapi import FastAPI, Request, UploadFile
from pydantic import BaseModel

app = FastAPI()
FOLDER = Path("/srv/files")


class Renaming(BaseModel):
    filename: str


@app.post("/uploads")
async def upload(file: UploadFile) -> None:
    (FOLDER / file.filename).write_bytes(await file.read(1000))  # finding: upload-filename-path-traversal


@app.post("/renamings")
async def rename(request: Request) -> None:
    renaming = Renaming.model_validate_json(await request.body())
    (FOLDER / renaming.filename).write_text("")  # silent: path-traversal-read-or-delete tells it
