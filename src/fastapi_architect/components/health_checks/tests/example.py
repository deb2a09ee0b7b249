"""The smallest application with probes: an ordinary one that `architect new` did not make."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import APIKeyHeader

from fastapi_architect.components.health_checks import Check, HealthChecks, HealthSettings
from fastapi_architect.components.service import Component, install


def somebody(name: Annotated[str | None, Depends(APIKeyHeader(name="X-Name", auto_error=False))]) -> str:
    """Refuse strangers everywhere."""
    if not name:
        raise HTTPException(401)
    return name


def create_app(
    settings: HealthSettings, *others: Component, checks: dict[str, Check] | None = None
) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(somebody)])

    @app.get("/{path:path}", summary="Read anything")
    async def read(path: str) -> str:
        """Take every path."""
        return path

    install(app, [HealthChecks(settings, checks), *others])
    return app
