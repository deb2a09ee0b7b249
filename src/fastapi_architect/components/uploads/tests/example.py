"""The smallest application with uploads. Whoever says a name is believed: an example, and nothing else."""

from typing import Any
from uuid import UUID, uuid5

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.access import Access, deny_by_default
from fastapi_architect.components.database import Database
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import Component, Principal, install
from fastapi_architect.components.uploads import Uploads

_PEOPLE = UUID("0192f0c1-2b34-7c56-8d9e-0a1b2c3d4e5f")


class Names(Component):
    """Believes whoever says a name."""

    security_scheme: tuple[str, dict[str, Any]] = (
        "name",
        {"type": "apiKey", "in": "header", "name": "X-Name"},
    )

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return who says a name."""
        name = connection.headers.get("x-name", "")
        return Principal(uuid5(_PEOPLE, name)) if name else None


def create_app(database: Database, uploads: Uploads) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(deny_by_default)])
    install(app, [ProblemDetails(), database, Access(), Names(), uploads])
    return app
