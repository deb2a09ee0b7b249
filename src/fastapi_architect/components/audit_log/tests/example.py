"""The smallest application with an audit log: whoever deletes a thing is remembered."""

from typing import Any
from uuid import UUID

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from fastapi_architect.components.access import Access, CurrentPrincipal, deny_by_default
from fastapi_architect.components.audit_log import AuditLog, record
from fastapi_architect.components.database import Database, SessionDep
from fastapi_architect.components.problem_details import Conflict, ProblemDetails
from fastapi_architect.components.service import Component, Principal, install

TENANT, OTHER_TENANT = uuid7(), uuid7()
READER = frozenset({"audit:read"})
PEOPLE = {
    "auditor": Principal(uuid7(), READER, TENANT, "name"),
    "member": Principal(uuid7(), frozenset(), TENANT, "name"),
    "auditor of others": Principal(uuid7(), READER, OTHER_TENANT, "name"),
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

    install(app, [ProblemDetails(), database, Access(), Names(), AuditLog()])
    return app
