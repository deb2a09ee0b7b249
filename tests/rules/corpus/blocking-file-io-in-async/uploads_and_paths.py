"""Uploads, paths, copies; threads, constants and plain operations."""

import asyncio
import shutil
from pathlib import Path

import aiofiles
from fastapi import FastAPI, UploadFile
from fastapi.concurrency import run_in_threadpool

app = FastAPI()
TEMPLATE = Path(__file__).parent / "mail.html"
folder = Path("/srv/covers")


@app.post("/covers")
async def upload(file: UploadFile) -> int:
    return len(file.file.read())  # finding: blocking-file-io-in-async


@app.post("/covers-async")
async def upload_async(file: UploadFile) -> int:
    return len(await file.read())


@app.post("/covers-plain")
def upload_plain(file: UploadFile) -> int:
    with open(folder / str(file.filename), "wb") as target:
        shutil.copyfileobj(file.file, target)
    return 1


@app.post("/covers-copied/{name}")
async def copied(name: str, file: UploadFile) -> None:
    with open(f"/srv/covers/{name}", "wb") as target:  # finding: blocking-file-io-in-async
        shutil.copyfileobj(file.file, target)


@app.post("/notes/{name}")
async def note(name: str, text: str) -> None:
    path = folder / name
    path.write_text(text)  # finding: blocking-file-io-in-async


@app.get("/mail")
async def mail() -> str:
    return TEMPLATE.read_text()


@app.get("/version")
async def version() -> str:
    with open("VERSION") as file:
        return file.read()


@app.get("/aiofiles/{name}")
async def with_aiofiles(name: str) -> str:
    async with aiofiles.open(folder / name) as file:
        return await file.read()


@app.get("/thread/{name}")
async def on_thread(name: str) -> str:
    path = folder / name
    return await asyncio.to_thread(path.read_text)


def read(name: str) -> str:
    return (folder / name).read_text()


@app.get("/pool/{name}")
async def in_pool(name: str) -> str:
    return await run_in_threadpool(read, name)


@app.delete("/covers")
async def clear(name: str) -> None:
    shutil.rmtree(folder / name)  # finding: blocking-file-io-in-async


async def at_start(name: str) -> None:
    """Nobody who serves calls it."""
    (folder / name).write_text("")
