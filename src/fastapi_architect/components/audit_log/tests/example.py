"""The smallest application with an audit log: whoever deletes a thing is remembered."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from fastapi_architect.components.access import Access, CurrentPrincipal, Guard, deny_by_default, guard
from fastapi_architect.components.audit_log import AuditLog, AuditOverview, record
from fastapi_architect.components.database import Database, SessionDep
from fastapi_architect.components.problem_details import Conflict, Forbidden, ProblemDetails
from fastapi_architect.components.service import (
    Act,
    Component,
    Principal,
    acts_of,
    install,
    remember_principal,
)

TENANT, OTHER_TENANT = uuid7(), uuid7()
READER = frozenset({"audit:read"})
PEOPLE = {
    "auditor": Principal(uuid7(), READER, TENANT, "name"),
    "member": Principal(uuid7(), frozenset(), TENANT, "name"),
    "auditor of others": Principal(uuid7(), READER, OTHER_TENANT, "name"),
    "operator": Principal(uuid7(), frozenset({"service:audit"}), None, "name"),
    "of no tenant yet": Principal(uuid7(), frozenset(), None, "name"),
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


@guard(Guard.STRANGERS)
async def auditor_of_tenant(connection: HTTPConnection, principal: CurrentPrincipal) -> Principal:
    """Find out for which tenant somebody reads, as `require_in_tenant` does: from a header, in this example."""
    tenant = UUID(connection.headers["x-tenant"])
    if tenant != TENANT:
        raise Forbidden("You do not belong there.")
    member = replace(principal, tenant_id=tenant)
    remember_principal(connection, member)
    return member


def create_app(database: Database, *, guard: Callable[..., Any] | None = None) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(deny_by_default)])

    @app.put("/things/{thing_id}", status_code=204)
    async def change_thing(
        thing_id: UUID, principal: CurrentPrincipal, session: SessionDep, *, in_use: bool = False
    ) -> None:
        """Change a thing, and tell whoever wants to know."""
        act = Act("thing.changed", principal, "thing", thing_id, details={"token": "t-1"})
        acts_of(app).tell(session, act)
        if in_use:
            raise Conflict("The thing is in use.")
        await session.commit()

    @app.delete("/things/{thing_id}", status_code=204)
    async def delete_thing(
        thing_id: UUID, principal: CurrentPrincipal, session: SessionDep, *, in_use: bool = False
    ) -> None:
        """Delete a thing, in so far as this example has things."""
        details = {"password": "hunter2", "nested": {"api_key": "k-123"}, "title": "a\x00b" + "x" * 1000}
        record(
            session,
            "thing.deleted",
            actor=principal,
            subject_type="thing",
            subject_id=thing_id,
            details=details,
        )
        await session.flush()
        if in_use:
            raise Conflict("The thing is in use.")
        await session.commit()

    overview = AuditOverview("service:audit")
    install(app, [ProblemDetails(), database, Access(), Names(), AuditLog(guard=guard), overview])
    return app
