"""The smallest service with webhooks: whoever places an order has it told to the endpoints of their organisation."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from fastapi_architect.components.access import Access, CurrentPrincipal, Guard, deny_by_default, guard
from fastapi_architect.components.database import Database, SessionDep, bind_setting
from fastapi_architect.components.outbox import Outbox
from fastapi_architect.components.problem_details import Forbidden, ProblemDetails
from fastapi_architect.components.service import Act, Component, Principal, install, remember_principal
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


class Diary(Component):
    """Remembers what it is told of. An example of a witness, and nothing else."""

    def __init__(self) -> None:
        self.acts: list[Act] = []

    def witness(self, session: Any, act: Act) -> None:
        """Note an act."""
        self.acts.append(act)


@guard(Guard.STRANGERS)
async def member_of_named(
    connection: HTTPConnection, principal: CurrentPrincipal, session: SessionDep
) -> Principal:
    """Find out for which organisation somebody acts, as `require_in_tenant` does: by their own, or else Ann's."""
    if connection.headers.get("x-role") == "viewer":
        raise Forbidden("Your role does not allow this.")
    member = replace(principal, tenant_id=principal.tenant_id or ORGANISATION)
    await bind_setting(session, "app.tenant_id", member.tenant_id)
    remember_principal(connection, member)
    return member


def create_app(database: Database, outbox: Outbox, webhooks: Webhooks, diary: Diary | None = None) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(deny_by_default)])

    @app.post("/orders", status_code=201)
    async def place_order(principal: CurrentPrincipal, session: SessionDep) -> UUID:
        order_id = uuid7()
        owner_id = principal.tenant_id or principal.id
        await bind_setting(session, "app.tenant_id", owner_id)
        send_webhook(session, "order.placed", {"order_id": str(order_id)}, owner_id=owner_id)
        await session.commit()
        return order_id

    install(app, [ProblemDetails(), database, outbox, Access(), Names(), diary or Diary(), webhooks])
    return app
