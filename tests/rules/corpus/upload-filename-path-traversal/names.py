"""Names that a client gives, and names that the server makes."""

import os
import shutil
from pathlib import Path
from uuid import uuid4

import aiofiles
from fastapi import FastAPI, HTTPException, UploadFile

app = FastAPI()
FOLDER = Path("/srv/uploads")
SUFFIXES = {".png", ".jpg"}


@app.post("/joined")
async def joined(file: UploadFile):
    async with aiofiles.open(FOLDER / file.filename, "wb") as target:  # finding: upload-filename-path-traversal
        await target.write(await file.read(1_000_000))


@app.post("/text")
def text(file: UploadFile):
    with open(f"/srv/uploads/{file.filename}", "wb") as target:  # finding: upload-filename-path-traversal
        shutil.copyfileobj(file.file, target)


@app.post("/many")
def many(files: list[UploadFile]):
    for file in files:
        (FOLDER / file.filename).write_bytes(file.file.read(1_000_000))  # finding: upload-filename-path-traversal


@app.post("/suffix-checked")
def suffix_checked(file: UploadFile):
    if not file.filename.endswith((".png", ".jpg")):
        raise HTTPException(415)
    (FOLDER / file.filename).write_bytes(file.file.read(1_000_000))  # finding: upload-filename-path-traversal


@app.post("/removed-once")
def removed_once(file: UploadFile):
    name = file.filename.replace("../", "")
    (FOLDER / name).write_bytes(file.file.read(1_000_000))  # finding: upload-filename-path-traversal


@app.post("/last-part")
def last_part(file: UploadFile):
    (FOLDER / Path(file.filename).name).write_bytes(file.file.read(1_000_000))
    with open(os.path.join("/srv/uploads", os.path.basename(file.filename)), "wb") as target:
        shutil.copyfileobj(file.file, target)


@app.post("/made")
def made(file: UploadFile):
    suffix = Path(file.filename or "").suffix
    if suffix not in SUFFIXES:
        raise HTTPException(415)
    (FOLDER / f"{uuid4().hex}{suffix}").write_bytes(file.file.read(1_000_000))


@app.post("/glued")
def glued(file: UploadFile):
    name = f"{uuid4()}_{file.filename}"
    (FOLDER / name).write_bytes(file.file.read(1_000_000))  # finding: upload-filename-path-traversal - tentative


@app.post("/told")
def told(file: UploadFile):
    return {"name": file.filename, "type": file.content_type}
