"""The smallest application whose orders can be repeated without being doubled."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Form, UploadFile
from fastapi.requests import HTTPConnection
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from fastapi_architect.components.database import Base, Database, SessionDep, Uuid7Id
from fastapi_architect.components.idempotency import (
    Idempotency,
    IdempotencySettings,
    IdempotentRequest,
    IdempotentRequestDep,
    RequiredIdempotentRequestDep,
    perform_once,
)
from fastapi_architect.components.problem_details import Conflict, ProblemDetails
from fastapi_architect.components.service import install


class ExampleOrder(Uuid7Id, Base):
    """An order."""

    __tablename__ = "idempotency_example_orders"

    title: Mapped[str]
    copies: Mapped[int] = mapped_column(default=1)


class NewOrder(BaseModel):
    """What a customer sends."""

    model_config = ConfigDict(extra="forbid")

    title: str
    copies: Annotated[int, Field(ge=1, le=100)] = 1


class PlacedOrder(BaseModel):
    """What a customer gets."""

    id: UUID
    title: str


class Orders:
    """Free of the web."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        #: Seconds that the work takes.
        self.seconds = 0.0

    async def place(self, order: NewOrder, request: IdempotentRequest | None) -> PlacedOrder:
        """Place an order, once however often it is sent."""

        async def work() -> PlacedOrder:
            if order.title == "sold out":
                raise Conflict("It is sold out.")
            row = ExampleOrder(title=order.title, copies=order.copies)
            self._session.add(row)
            await self._session.flush()
            if order.title == "crash":
                raise RuntimeError
            if order.title == "slow":
                await asyncio.sleep(0.3)
            return PlacedOrder(id=row.id, title=row.title)

        return await perform_once(self._session, request, PlacedOrder, work)


def name_of(connection: HTTPConnection) -> str | None:
    """Believe a name. An example, and nothing else."""
    return connection.headers.get("x-name")


def create_app(database: Database) -> FastAPI:
    """Return the application."""
    app = FastAPI()

    @app.post("/orders", status_code=201)
    async def place(order: NewOrder, session: SessionDep, request: IdempotentRequestDep) -> PlacedOrder:
        return await Orders(session).place(order, request)

    @app.post("/payments", status_code=201)
    async def pay(order: NewOrder, session: SessionDep, request: RequiredIdempotentRequestDep) -> PlacedOrder:
        return await Orders(session).place(order, request)

    @app.post("/scans", status_code=201)
    async def scan(
        title: Annotated[str, Form()],
        file: UploadFile,
        session: SessionDep,
        request: RequiredIdempotentRequestDep,
    ) -> PlacedOrder:
        size = len(await file.read())
        return await Orders(session).place(NewOrder(title=f"{title} of {size} bytes"), request)

    install(app, [ProblemDetails(), database, Idempotency(IdempotencySettings(), caller=name_of)])
    return app
