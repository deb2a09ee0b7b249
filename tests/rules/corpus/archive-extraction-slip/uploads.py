"""Archives from strangers, and archives of the program's own."""

import io
import shutil
import tarfile
import zipfile
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

from fastapi import FastAPI, File, HTTPException, Request, UploadFile

app = FastAPI()
FOLDER = Path("/srv/collections")


@app.post("/read")
def read(file: UploadFile):
    with tarfile.open(fileobj=io.BytesIO(file.file.read(1_000_000)), mode="r:gz") as archive:
        archive.extractall(FOLDER)  # finding: archive-extraction-slip


@app.post("/bytes")
def taken_as_bytes(content: Annotated[bytes, File()]):
    unpack(content)


def unpack(content: bytes) -> None:
    archive = tarfile.open(fileobj=io.BytesIO(content))
    archive.extractall(path=FOLDER)  # finding: archive-extraction-slip


@app.post("/body")
async def body(request: Request):
    archive = tarfile.open(fileobj=io.BytesIO(await request.body()))
    archive.extractall(FOLDER, filter="fully_trusted")  # finding: archive-extraction-slip


@app.post("/stored")
def stored(file: UploadFile):
    target = FOLDER / "upload.tar"
    with open(target, "wb") as out:
        shutil.copyfileobj(file.file, out)
    with tarfile.open(target) as archive:
        archive.extractall(FOLDER)  # finding: archive-extraction-slip


@app.post("/filtered")
def filtered(file: UploadFile):
    with tarfile.open(fileobj=file.file) as archive:
        archive.extractall(FOLDER, filter="data")


@app.post("/looked-at")
def looked_at(file: UploadFile):
    with tarfile.open(fileobj=file.file) as archive:
        for member in archive.getmembers():
            if not (FOLDER / member.name).resolve().is_relative_to(FOLDER):
                raise HTTPException(400)
        archive.extractall(FOLDER)


@app.post("/zip")
def unzip(file: UploadFile):
    with zipfile.ZipFile(file.file) as archive:
        archive.extractall(FOLDER)


@app.post("/own")
def own(file: UploadFile):
    """The archive is the program's; the upload goes somewhere else."""
    with NamedTemporaryFile() as out:
        shutil.copyfileobj(file.file, out)
    with tarfile.open("/srv/package/defaults.tar") as archive:
        archive.extractall(FOLDER)


@app.get("/backup/{number}")
def restore(number: int):
    with tarfile.open(f"/srv/backups/{number}.tar") as archive:
        archive.extractall(FOLDER)
