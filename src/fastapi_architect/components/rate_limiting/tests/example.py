"""The smallest application with limits at every layer."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Depends, FastAPI, WebSocket
from fastapi.requests import HTTPConnection

from fastapi_architect.components.problem_details import NotAuthenticated, ProblemDetails
from fastapi_architect.components.rate_limiting import ClientAddressDep, LoginLimitsDep, limit
from fastapi_architect.components.service import Component, Principal, install, remember_principal

#: An identifier of a person, and of an organisation.
PEOPLE = {
    "ann": (UUID(int=1), UUID(int=100)),
    "ben": (UUID(int=2), UUID(int=100)),
    "eve": (UUID(int=3), None),
}


async def who_says_so(connection: HTTPConnection) -> None:
    """Believe a name. An example of authentication, and nothing else."""
    person = PEOPLE.get(connection.headers.get("x-name", ""))
    if person is not None:
        remember_principal(connection, Principal(person[0], tenant_id=person[1]))


def create_app(*components: Component) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(who_says_so)])

    @app.get("/books", dependencies=[Depends(limit("3/minute"))])
    async def books() -> str:
        return "books"

    @app.get("/authors", dependencies=[Depends(limit("3/minute"))])
    async def authors() -> str:
        return "authors"

    @app.get("/mine", dependencies=[Depends(limit("3/minute", by="principal"))])
    async def mine() -> str:
        return "mine"

    @app.get("/ours", dependencies=[Depends(limit("3/minute", by="tenant"))])
    async def ours() -> str:
        return "ours"

    @app.get("/scarce", dependencies=[Depends(limit("3/minute", by="everyone"))])
    async def scarce() -> str:
        return "scarce"

    shared = limit("3/minute", name="reports")

    @app.get("/reports/small", dependencies=[Depends(shared)])
    async def small_report() -> str:
        return "small"

    @app.get("/reports/large", dependencies=[Depends(limit("3/minute", name="reports", cost=2))])
    def large_report() -> str:
        return "large"

    @app.get("/partners", dependencies=[Depends(limit("3/minute", by=lambda c: c.headers.get("x-partner")))])
    async def partners() -> str:
        return "partners"

    @app.post("/codes", dependencies=[Depends(limit("3/minute", "5/hour", fails="closed"))])
    async def codes() -> str:
        return "sent"

    @app.post("/login")
    async def login(
        account: Annotated[str, Body()],
        password: Annotated[str, Body()],
        limits: LoginLimitsDep,
        address: ClientAddressDep,
    ) -> str:
        await limits.attempt(account=account, address=address)
        if password != "correct horse battery":
            raise NotAuthenticated("The name or the password is wrong.")
        await limits.succeeded(account=account, address=address)
        return "welcome"

    @app.websocket("/feed")
    async def feed(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("news")
        await websocket.close()

    inner = FastAPI()

    @inner.get("/inside", dependencies=[Depends(limit("3/minute"))])
    async def inside() -> str:
        return "inside"

    app.mount("/mounted", inner)
    install(app, [ProblemDetails(), *components])
    return app
