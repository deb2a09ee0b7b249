"""What clients state about files, and files that somebody looks at."""

from pathlib import Path
from uuid import uuid4

import boto3
import filetype
from fastapi import FastAPI, HTTPException, UploadFile
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from PIL import Image

FOLDER = Path("/srv/pictures")
PRIVATE = Path("/srv/private")
TYPES = ("image/png", "image/jpeg")
app = FastAPI()
app.mount("/pictures", StaticFiles(directory=FOLDER))


@app.post("/listed")
def listed(file: UploadFile):
    if file.content_type not in TYPES:  # finding: upload-type-trusted
        raise HTTPException(415)
    store(file.filename, file.file.read(1_000_000))


def store(name: str, content: bytes) -> None:
    suffix = Path(name).suffix
    (FOLDER / f"{uuid4().hex}{suffix}").write_bytes(content)


@app.post("/prefix")
def prefix(file: UploadFile):
    kind = file.content_type or ""
    if not kind.startswith("image/"):  # finding: upload-type-trusted
        raise HTTPException(415)
    suffix = Path(file.filename).suffix
    (FOLDER / f"{uuid4().hex}{suffix}").write_bytes(file.file.read(1_000_000))


@app.post("/unseen")
def unseen(file: UploadFile):
    name = f"{uuid4().hex}-{Path(file.filename).name}"
    (FOLDER / name).write_bytes(file.file.read(1_000_000))  # finding: upload-type-trusted


@app.post("/unserved")
def unserved(file: UploadFile):
    name = f"{uuid4().hex}-{Path(file.filename).name}"
    (PRIVATE / name).write_bytes(file.file.read(1_000_000))


@app.get("/private/{name}")
def attached(name: str):
    return FileResponse(PRIVATE / Path(name).name, filename="private.bin")


@app.post("/own-suffix")
def own_suffix(file: UploadFile):
    (FOLDER / f"{uuid4().hex}.png").write_bytes(file.file.read(1_000_000))


@app.post("/suffix-checked")
def suffix_checked(file: UploadFile):
    suffix = Path(file.filename).suffix
    if suffix not in (".png", ".jpg"):
        raise HTTPException(415)
    (FOLDER / f"{uuid4().hex}{suffix}").write_bytes(file.file.read(1_000_000))


@app.post("/signature")
def signature(file: UploadFile):
    content = file.file.read(1_000_000)
    if file.content_type not in TYPES or not content.startswith(b"\x89PNG"):
        raise HTTPException(415)
    (FOLDER / f"{uuid4().hex}-{Path(file.filename).name}").write_bytes(content)


@app.post("/asked")
def asked(file: UploadFile):
    content = file.file.read(1_000_000)
    if file.content_type not in TYPES or filetype.guess(content) is None:
        raise HTTPException(415)
    (FOLDER / f"{uuid4().hex}-{Path(file.filename).name}").write_bytes(content)


@app.post("/opened")
def opened(file: UploadFile):
    if file.content_type not in TYPES:
        raise HTTPException(415)
    Image.open(file.file).verify()
    (FOLDER / f"{uuid4().hex}-{Path(file.filename).name}").write_bytes(file.file.read(1_000_000))


@app.post("/bucket")
def bucket(file: UploadFile):
    if file.content_type not in TYPES:  # finding: upload-type-trusted
        raise HTTPException(415)
    boto3.client("s3").put_object(Bucket="pictures", Key=uuid4().hex, Body=file.file.read(1_000_000))
