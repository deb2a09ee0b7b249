"""With `open`, by name, and wrapped in a stream that is none."""

import io

from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse

app = FastAPI()


@app.get("/files/{name}")
def download(name: str) -> Response:
    with open(f"files/{name}", "rb") as file:
        data = file.read()
    return Response(content=data)  # finding: large-payload-buffered


@app.get("/streams/{name}")
def stream(name: str) -> StreamingResponse:
    with open(f"files/{name}", "rb") as file:
        return StreamingResponse(io.BytesIO(file.read()))  # finding: large-payload-buffered
