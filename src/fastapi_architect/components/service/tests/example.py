"""The smallest application made of a component: one that greets, and notes when it is open."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request, WebSocket
from pydantic_settings import SettingsConfigDict

from fastapi_architect.components.service import (
    Component,
    ComponentSettings,
    GeneratedSecret,
    current_request_id,
    install,
    is_draining,
)

logger = logging.getLogger("greeting")


class GreetingSettings(ComponentSettings):
    """GREETING_*: what is said."""

    model_config = SettingsConfigDict(env_prefix="GREETING_")

    text: str = "hello"
    key: GeneratedSecret | None = None


class Greeting(Component):
    """Greets whoever asks."""

    def __init__(self, settings: GreetingSettings) -> None:
        self.settings = settings
        self.is_open = False

    def install(self, app: FastAPI) -> None:
        """Add the route."""
        router = APIRouter()

        @router.get("/greetings/{name}", summary="Greet")
        async def greet(name: str, seconds: Annotated[float, Query(ge=0, le=60)] = 0) -> str:
            """Greet somebody, after some time."""
            await asyncio.sleep(seconds)
            return f"{self.settings.text} {name} {current_request_id()}"

        @router.get("/draining", summary="Tell whether the end is near")
        async def draining() -> bool:
            """Tell whether the end is near."""
            return is_draining(app)

        @router.get("/me", summary="Tell who asks")
        async def me(request: Request) -> str:
            """Tell by which address and scheme somebody asks."""
            return f"{request.url.scheme} {request.client.host if request.client else ''}"

        @app.websocket("/talk")
        async def talk(websocket: WebSocket) -> None:
            await websocket.accept()
            async for text in websocket.iter_text():
                await websocket.send_text(text)

        app.include_router(router, prefix="/api")

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Be open while the service runs."""
        self.is_open = True
        logger.info("open")
        try:
            yield
        finally:
            self.is_open = False
            logger.info("closed")


def create_app(settings: GreetingSettings | None = None) -> FastAPI:
    """Return the application."""
    app = FastAPI()
    install(app, [Greeting(settings or GreetingSettings())])
    return app


#: As a module has it that makes its application when it is imported.
bare = FastAPI()
