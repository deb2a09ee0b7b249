"""A file of the program, a part of a file, a file that is sent piece by piece, and data that is no file."""

from collections.abc import Iterator
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, StreamingResponse

app = FastAPI()


def pieces(name: str) -> Iterator[bytes]:
    with open(name, "rb") as file:
        while piece := file.read(65536):
            yield piece


@app.get("/robots.txt")
def robots() -> Response:
    return Response(Path("robots.txt").read_text(), media_type="text/plain")


@app.get("/heads/{name}")
def head(name: str) -> Response:
    with open(f"files/{name}", "rb") as file:
        return Response(file.read(1024))


@app.get("/files/{name}")
def download(name: str) -> FileResponse:
    return FileResponse(f"files/{name}")


@app.get("/streams/{name}")
def stream(name: str) -> StreamingResponse:
    return StreamingResponse(pieces(f"files/{name}"))


@app.get("/text")
def text() -> Response:
    return Response("hello".encode())
