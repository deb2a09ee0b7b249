from fastapi import FastAPI, Request, UploadFile
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.middleware("http")
async def small_requests_only(request: Request, call_next):
    if int(request.headers.get("content-length", "0")) > 1_000_000:
        return PlainTextResponse("too large", status_code=413)
    return await call_next(request)


@app.post("/pictures")
async def upload(file: UploadFile):
    return len(await file.read())
