"""How an operation asks for the audit log."""

from typing import Annotated

from fastapi import Depends

from ..access import require
from ..database import SessionDep
from ..service import Principal
from .repository import AuditRepository
from .service import AuditService

READ = "audit:read"
Auditor = Annotated[Principal, Depends(require(READ))]


async def get_audit_service(session: SessionDep, principal: Auditor) -> AuditService:
    """Return the service for the tenant of whoever may read."""
    return AuditService(AuditRepository(session, principal.tenant_id))


AuditServiceDep = Annotated[AuditService, Depends(get_audit_service)]
