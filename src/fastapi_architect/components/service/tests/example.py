"""The smallest application made of a component: one that greets, and notes when it is open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from pydantic_settings import SettingsConfigDict

from fastapi_architect.components.service import (
    Component,
    ComponentSettings,
    GeneratedSecret,
    current_request_id,
    install,
)


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
        router = APIRouter(prefix="/greetings")

        @router.get("/{name}", summary="Greet")
        async def greet(name: str) -> str:
            """Greet somebody."""
            return f"{self.settings.text} {name} {current_request_id()}"

        app.include_router(router, prefix="/api")

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Be open while the service runs."""
        self.is_open = True
        try:
            yield
        finally:
            self.is_open = False


def create_app(settings: GreetingSettings) -> FastAPI:
    """Return the application."""
    app = FastAPI()
    install(app, [Greeting(settings)])
    return app
