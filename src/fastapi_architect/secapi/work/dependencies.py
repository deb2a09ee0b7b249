"""How an operation asks for work that was given up."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path

from fastapi_architect.components.database import SessionDep
from fastapi_architect.components.tenancy import TenantMember

from ..membership import Member
from ..scans.dependencies import ScanServiceDep
from .service import WorkService

DeadLetterId = Annotated[UUID, Path(description="The dead letter.")]


async def get_work_service(session: SessionDep, member: TenantMember, scans: ScanServiceDep) -> WorkService:
    """Return the service for the work of the caller's organisation, on the session of this request."""
    return WorkService(session, Member.of(member), scans)


WorkServiceDep = Annotated[WorkService, Depends(get_work_service)]
