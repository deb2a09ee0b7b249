"""Ways to read an upload, with and without an end."""

import shutil

from fastapi import FastAPI, File, HTTPException, UploadFile

app = FastAPI()
LIMIT = 1_000_000


@app.post("/all")
async def everything(file: UploadFile):
    return len(await file.read())  # finding: upload-read-without-limit


@app.post("/sync")
def synchronous(file: UploadFile = File()):
    return len(file.file.read())  # finding: upload-read-without-limit


@app.post("/many")
async def many(files: list[UploadFile]):
    return [await file.read() for file in files]  # finding: upload-read-without-limit


@app.post("/minus-one")
async def minus_one(file: UploadFile):
    return len(await file.read(-1))  # finding: upload-read-without-limit


@app.post("/copied")
def copied(file: UploadFile):
    with open("upload", "wb") as target:
        shutil.copyfileobj(file.file, target)  # finding: upload-read-without-limit


async def store(upload: UploadFile) -> int:
    content = await upload.read()  # finding: upload-read-without-limit
    return len(content)


@app.post("/helper")
async def by_helper(file: UploadFile):
    return await store(file)


@app.post("/late")
async def late(file: UploadFile):
    content = await file.read()  # finding: upload-read-without-limit - tentative: it is in memory by then
    if len(content) > LIMIT:
        raise HTTPException(413)
    return len(content)


@app.post("/bounded")
async def bounded(file: UploadFile):
    content = await file.read(LIMIT + 1)
    if len(content) > LIMIT:
        raise HTTPException(413)
    return len(content)


@app.post("/chunks")
async def chunks(file: UploadFile):
    total = 0
    while chunk := await file.read(64 * 1024):
        total += len(chunk)
        if total > LIMIT:
            raise HTTPException(413)
    return total


@app.post("/size")
async def by_size(file: UploadFile):
    if file.size is None or file.size > LIMIT:
        raise HTTPException(413)
    return len(await file.read())


@app.post("/tell")
def by_tell(file: UploadFile):
    file.file.seek(0, 2)
    if file.file.tell() > LIMIT:
        raise HTTPException(413)
    file.file.seek(0)
    return len(file.file.read())


@app.post("/bytes")
def local():
    with open("settings.ini", "rb") as file:
        return len(file.read())


async def never_called(file: UploadFile):
    return await file.read()
