"""The smallest application with access control: one open route, one for whoever is known, one for who may write."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from fastapi_architect.components.access import Access, CurrentPrincipal, deny_by_default, public, require
from fastapi_architect.components.database import Database
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import Component, Principal, install

PEOPLE = {
    "reader": Principal(uuid7(), frozenset({"items:read"})),
    "writer": Principal(uuid7(), frozenset({"items:read", "items:write"})),
}


class Names(Component):
    """Believes whoever says a name. An example of an authenticator, and nothing else."""

    security_scheme: tuple[str, dict[str, Any]] = (
        "name",
        {"type": "apiKey", "in": "header", "name": "X-Name"},
    )

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return who says this name."""
        return PEOPLE.get(connection.headers.get("x-name", ""))


def create_app(database: Database) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(deny_by_default)])

    @app.get("/open")
    @public
    async def open_to_all() -> str:
        return "hello"

    @app.get("/me")
    async def me(principal: CurrentPrincipal) -> str:
        return str(principal.id)

    @app.get("/forgotten")
    async def forgotten() -> str:
        return "nobody thought of a guard"

    @app.post("/items")
    async def write(principal: Annotated[Principal, Depends(require("items:write"))]) -> str:
        return "written"

    install(app, [ProblemDetails(), database, Access(), Names()])
    return app
