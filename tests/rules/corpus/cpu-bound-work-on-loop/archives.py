"""An archive that packs nothing copies its members; one that compresses them computes."""

import io
import zipfile

from fastapi import FastAPI, UploadFile

app = FastAPI()


@app.post("/copies")
async def copy(upload: UploadFile) -> int:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("page.txt", await upload.read())
    return len(buffer.getvalue())


@app.post("/packed")
async def pack(upload: UploadFile) -> int:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("page.txt", await upload.read())  # finding: cpu-bound-work-on-loop
    return len(buffer.getvalue())


@app.post("/packed-members")
async def pack_member(upload: UploadFile) -> int:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("page.txt", await upload.read(), zipfile.ZIP_DEFLATED)  # finding: cpu-bound-work-on-loop
    return len(buffer.getvalue())


@app.post("/packed-by-information")
async def pack_as_told(upload: UploadFile) -> int:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        member = zipfile.ZipInfo("page.txt")
        member.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(member, await upload.read())  # finding: cpu-bound-work-on-loop
    return len(buffer.getvalue())
