"""No folder is served, but a file is received: the second hole of this Starlette counts."""

from fastapi import FastAPI, UploadFile

app = FastAPI()


@app.post("/pictures")
def keep_picture(picture: UploadFile) -> int:
    return picture.size or 0
