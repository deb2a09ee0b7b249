"""An application with probes, for a process of its own."""

import asyncio

from fastapi import FastAPI

from fastapi_architect.components.health_checks import HealthChecks, HealthSettings
from fastapi_architect.components.service import ServeSettings, install, serve


def create_app() -> FastAPI:
    """Return the application."""
    app = FastAPI()

    @app.get("/quick", summary="Answer at once")
    async def quick() -> str:
        """Answer at once."""
        return "quick"

    @app.get("/slow", summary="Answer later")
    async def slow() -> str:
        """Answer after the drain has ended."""
        await asyncio.sleep(2)
        return "slow"

    install(app, [HealthChecks(HealthSettings())])
    return app


def main() -> None:
    """Serve until a signal comes."""
    serve(create_app(), ServeSettings())
