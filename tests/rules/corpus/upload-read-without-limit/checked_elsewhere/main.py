from fastapi import Depends, FastAPI, Header, HTTPException, UploadFile

app = FastAPI()
LIMIT = 1_000_000


def small(content_length: int = Header()) -> None:
    if content_length > LIMIT:
        raise HTTPException(413)


def checked(file: UploadFile) -> UploadFile:
    if (file.size or 0) > LIMIT:
        raise HTTPException(413)
    return file


@app.post("/header", dependencies=[Depends(small)])
async def by_header(file: UploadFile):
    return len(await file.read())


@app.post("/dependency")
async def by_dependency(file: UploadFile = Depends(checked)):
    return len(await file.read())


async def content_of(file: UploadFile) -> bytes:
    return await file.read()


@app.post("/caller")
async def by_caller(file: UploadFile):
    if file.size > LIMIT:
        raise HTTPException(413)
    return len(await content_of(file))
