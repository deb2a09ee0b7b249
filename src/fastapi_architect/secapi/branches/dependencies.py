"""How an operation asks for branches."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path

from fastapi_architect.components.database import SessionDep
from fastapi_architect.components.tenancy import TenantMember

from ..membership import Member
from .service import BranchService

BranchId = Annotated[UUID, Path(description="The branch.")]


async def get_branch_service(session: SessionDep, member: TenantMember) -> BranchService:
    """Return the service for the branches of the caller's organisation, on the session of this request."""
    return BranchService(session, Member.of(member))


BranchServiceDep = Annotated[BranchService, Depends(get_branch_service)]
