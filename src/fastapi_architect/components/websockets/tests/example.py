"""The smallest application with websockets. Whoever says a name is believed: an example, and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import Depends, FastAPI, WebSocket
from fastapi.requests import HTTPConnection
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.access import Access, CurrentPrincipal, deny_by_default
from fastapi_architect.components.database import Database
from fastapi_architect.components.problem_details import Conflict, ProblemDetails
from fastapi_architect.components.redis_pool import RedisPool
from fastapi_architect.components.service import Component, Principal, install, public
from fastapi_architect.components.websockets import (
    AdmissionDep,
    Connection,
    WebSockets,
    WebSocketsDep,
    WebSocketSettings,
    closing,
    messages,
)

_PEOPLE = UUID("0192f0c1-2b34-7c56-8d9e-0a1b2c3d4e5f")


def id_of(name: str) -> UUID:
    """Return the identifier of somebody."""
    return uuid5(_PEOPLE, name)


class Directory(Component):
    """Believes whoever says a name, and knows what they may do at present."""

    security_scheme: tuple[str, dict[str, Any]] = (
        "name",
        {"type": "apiKey", "in": "header", "name": "X-Name"},
    )

    def __init__(self) -> None:
        self.people = {id_of(name): frozenset({"room:kitchen"}) for name in ("alice", "bob")}
        self.proof_seconds: float | None = None

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return who says a name."""
        person = id_of(connection.headers.get("x-name", ""))
        if person not in self.people:
            return None
        ends = (
            None if self.proof_seconds is None else datetime.now(UTC) + timedelta(seconds=self.proof_seconds)
        )
        return Principal(person, self.people[person], expires_at=ends)

    async def permissions_of(self, principal_id: UUID, session: AsyncSession) -> frozenset[str] | None:
        """Return what somebody may do at present."""
        return self.people.get(principal_id)


class Event(BaseModel):
    """Something that happened."""

    model_config = ConfigDict(extra="forbid")

    topic: Annotated[str, Field(max_length=200)]
    data: JsonValue


async def may_listen(principal: Principal, topic: str) -> bool:
    """Let people hear the rooms that they may enter."""
    return principal.may(topic)


async def echo(principal: Principal, data: JsonValue) -> JsonValue:
    """Repeat what a client says."""
    if data == "refuse":
        raise Conflict("Not now.")
    return data


def create_app(
    database: Database, redis: RedisPool, settings: WebSocketSettings, directory: Directory
) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(deny_by_default)])

    @app.post("/events", status_code=204)
    async def publish(event: Event, principal: CurrentPrincipal, websockets: WebSocketsDep) -> None:
        """Tell an event to whoever listens."""
        await websockets.publish(event.topic, event.data)

    @app.post("/farewells", status_code=204)
    async def end_my_sockets(principal: CurrentPrincipal, websockets: WebSocketsDep) -> None:
        """End all sockets of the caller."""
        await websockets.end_sockets_of(principal.id)

    @app.websocket("/numbers")
    @public
    async def count_for_me(
        websocket: WebSocket, admission: AdmissionDep, websockets: WebSocketsDep, to: int
    ) -> None:
        """Tell one socket the numbers up to one."""

        async def feed(connection: Connection) -> None:
            for number in range(to):
                app.state.counted = number + 1
                await connection.put(messages.event("numbers", {"number": number, "ballast": "x" * 1_000}))
            connection.finish(closing.COMPLETE)

        await websockets.attend(websocket, admission, feed)

    sockets = WebSockets(settings, may_listen=may_listen, handler=echo)
    install(app, [ProblemDetails(), database, redis, Access(), directory, sockets])
    return app
