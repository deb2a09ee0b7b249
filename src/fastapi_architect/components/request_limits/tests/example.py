"""The smallest application with limits, of which one path has its own."""

import asyncio
import time
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.request_limits import RequestLimits, RequestLimitSettings
from fastapi_architect.components.service import RequestLimit, install


class Note(BaseModel):
    """What somebody writes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(max_length=100_000)


def create_app(settings: RequestLimitSettings) -> FastAPI:
    """Return the application."""
    app = FastAPI()
    app.state.read = 0

    @app.post("/notes", summary="Write")
    async def write(note: Note) -> int:
        """Write a note."""
        return len(note.text)

    @app.post("/imports/{name}", summary="Import")
    async def import_file(name: str, request: Request) -> int:
        """Count a stream."""
        size = 0
        async for piece in request.stream():
            size += len(piece)
            app.state.read = size
        return size

    @app.post("/careless", summary="Be careless")
    async def careless(request: Request) -> str:
        """Take every error for a good sign."""
        try:
            await request.body()
        except Exception:
            return "fine"
        return "read"

    @app.get("/slow/{seconds}", summary="Be slow")
    async def slow(seconds: float) -> str:
        """Wait."""
        await asyncio.sleep(seconds)
        return "done"

    @app.get("/blocking/{seconds}", summary="Block a thread")
    def blocking(seconds: float) -> str:
        """Wait in a thread."""
        time.sleep(seconds)
        return "done"

    @app.get("/stream", summary="Stream")
    async def stream() -> StreamingResponse:
        """Begin at once, and end late."""
        return StreamingResponse(_slowly())

    @app.websocket("/talk")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(str(len(text)))

    install(
        app, [ProblemDetails(), RequestLimits(settings, {"/imports/{name}": RequestLimit(1_000_000, 5.0)})]
    )
    return app


async def _slowly() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b"piece"
        await asyncio.sleep(0.25)
