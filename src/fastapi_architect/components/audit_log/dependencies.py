"""How an operation asks for the audit log."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ..access import CurrentPrincipal
from ..database import SessionDep, bind_setting
from ..service import Principal, principal_of
from .repository import AuditRepository, EveryAuditEvent
from .row_level_security import OVERVIEW
from .service import AuditService

READ = "audit:read"


async def get_reader(connection: HTTPConnection, principal: CurrentPrincipal) -> Principal:
    """Return the caller as the guard of the routes knows them, which has run before: as a member, where it asks for one."""
    return principal_of(connection) or principal


async def get_audit_service(
    session: SessionDep, reader: Annotated[Principal, Depends(get_reader)]
) -> AuditService:
    """Return the service for the tenant of whoever may read."""
    return AuditService(AuditRepository(session, reader.tenant_id))


AuditServiceDep = Annotated[AuditService, Depends(get_audit_service)]


async def get_overview_service(session: SessionDep) -> AuditService:
    """Return the service for the events of every tenant; the guard of the route has let an operator in."""
    await bind_setting(session, OVERVIEW, "on")
    return AuditService(EveryAuditEvent(session))


OverviewServiceDep = Annotated[AuditService, Depends(get_overview_service)]
