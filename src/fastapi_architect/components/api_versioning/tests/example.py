"""The smallest application with versions: one that is deprecated, and the present one."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter, FastAPI, Response, WebSocket
from pydantic import BaseModel

from fastapi_architect.components.api_versioning import ApiVersion, ApiVersioning
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import install

VERSIONS = (
    ApiVersion(
        "1",
        deprecated_at=datetime(2026, 1, 1, tzinfo=UTC),
        sunset_at=datetime(2026, 12, 31, tzinfo=UTC),
        guide="https://shop.example/v2",
    ),
    ApiVersion("2"),
)


class OldBook(BaseModel):
    """A book as version 1 has it."""

    name: str


class Book(BaseModel):
    """A book."""

    title: str


version_1, version_2 = APIRouter(prefix="/v1"), APIRouter(prefix="/v2")


@version_1.get("/books/{title}", summary="Read a book as before")
async def read_as_before(title: str, response: Response) -> OldBook:
    """Read a book, and link to a page."""
    response.headers["Link"] = '</next>; rel="next"'
    return OldBook(name=title)


@version_2.get("/books/{title}", summary="Read a book")
async def read(title: str) -> Book:
    """Read a book."""
    return Book(title=title)


@version_2.websocket("/talk")
async def talk(websocket: WebSocket) -> None:
    """Say hello."""
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


def create_app(
    default: str | None = None, now: Callable[[], datetime] = lambda: datetime(2026, 6, 1, tzinfo=UTC)
) -> FastAPI:
    """Return the application."""
    app = FastAPI()
    app.include_router(version_1, prefix="/api")
    app.include_router(version_2, prefix="/api")

    @app.get("/api/health", summary="Live")
    async def health() -> str:
        """Live outside of all versions."""
        return "alive"

    install(app, [ProblemDetails(), ApiVersioning(VERSIONS, vendor="shop", default=default, now=now)])
    return app
