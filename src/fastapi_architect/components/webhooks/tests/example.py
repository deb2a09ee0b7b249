"""The smallest service with webhooks: whoever places an order has it told to the endpoints of their organisation."""

from typing import Any
from uuid import UUID

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from fastapi_architect.components.access import Access, CurrentPrincipal, deny_by_default
from fastapi_architect.components.database import Database, SessionDep
from fastapi_architect.components.outbox import Outbox
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import Component, Principal, install
from fastapi_architect.components.webhooks import Webhooks, send_webhook

ORGANISATION = uuid7()
PEOPLE = {
    "ann": Principal(uuid7(), tenant_id=ORGANISATION),
    "her-colleague": Principal(uuid7(), tenant_id=ORGANISATION),
    "mallory": Principal(uuid7(), tenant_id=uuid7()),
    "loner": Principal(uuid7()),
}


class Names(Component):
    """Believes whoever says a name. An example of an authenticator, and nothing else."""

    security_scheme: tuple[str, dict[str, Any]] = (
        "name",
        {"type": "apiKey", "in": "header", "name": "X-Name"},
    )
    webhook_events = {"order.placed": "An order was placed.", "order.paid": "An order was paid."}  # noqa: RUF012

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return who says this name."""
        return PEOPLE.get(connection.headers.get("x-name", ""))


def create_app(database: Database, outbox: Outbox, webhooks: Webhooks) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(deny_by_default)])

    @app.post("/orders", status_code=201)
    async def place_order(principal: CurrentPrincipal, session: SessionDep) -> UUID:
        order_id = uuid7()
        owner_id = principal.tenant_id or principal.id
        send_webhook(session, "order.placed", {"order_id": str(order_id)}, owner_id=owner_id)
        await session.commit()
        return order_id

    install(app, [ProblemDetails(), database, outbox, Access(), Names(), webhooks])
    return app
