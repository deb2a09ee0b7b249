"""How an operation asks for findings."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path

from fastapi_architect.components.database import SessionDep
from fastapi_architect.components.tenancy import TenantMember

from ..membership import Member
from .service import FindingService

FindingId = Annotated[UUID, Path(description="The finding.")]


async def get_finding_service(session: SessionDep, member: TenantMember) -> FindingService:
    """Return the service for the findings of the caller's organisation, on the session of this request."""
    return FindingService(session, Member.of(member))


FindingServiceDep = Annotated[FindingService, Depends(get_finding_service)]
