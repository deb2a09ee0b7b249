"""The smallest application with access control: one open route, one for whoever is known, one for who may write."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, WebSocket
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from fastapi_architect.components.access import (
    Access,
    CurrentPrincipal,
    OptionalPrincipal,
    deny_by_default,
    public,
    require,
)
from fastapi_architect.components.database import Database
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import Component, Principal, install

ROLES = {"reader": ["items:read"], "writer": ["items:read", "items:write"]}
IDENTIFIERS = {name: uuid7() for name in ROLES}


class Names(Component):
    """Believes whoever says a name. An example of an authenticator, and nothing else."""

    security_scheme: tuple[str, dict[str, Any]] = (
        "name",
        {"type": "apiKey", "in": "header", "name": "X-Name"},
    )

    def __init__(self, access: Access) -> None:
        self.access = access

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return who says this name."""
        name = connection.headers.get("x-name", "")
        if name not in IDENTIFIERS:
            return None
        return Principal(IDENTIFIERS[name], self.access.permissions_of_roles([name]))


router = APIRouter(prefix="/items", tags=["items"])


@router.get("/forgotten")
async def forgotten() -> str:
    """Nobody thought of a guard here."""
    return "secret"


@router.post("")
async def write(principal: Annotated[Principal, Depends(require("items:write"))]) -> str:
    """Write an item."""
    return str(principal.id)


def create_app(database: Database, access: Access | None = None) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(deny_by_default)])
    app.include_router(router, prefix="/api/v1")

    @app.get("/open")
    @public
    async def open_to_all() -> str:
        return "hello"

    @app.get("/greeting")
    @public
    async def greeting(principal: OptionalPrincipal) -> str:
        return "stranger" if principal is None else str(principal.id)

    @app.get("/me")
    async def me(principal: CurrentPrincipal) -> str:
        return str(principal.id)

    @app.websocket("/news")
    async def news(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("news")
        await websocket.close()

    access = access or Access(ROLES)
    install(app, [ProblemDetails(), database, access, Names(access)])
    return app
