"""How an operation asks for projects."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path

from fastapi_architect.components.database import SessionDep
from fastapi_architect.components.tenancy import TenantMember

from ..membership import Member
from .service import ProjectService

ProjectId = Annotated[UUID, Path(description="The project.")]


async def get_project_service(session: SessionDep, member: TenantMember) -> ProjectService:
    """Return the service for the projects of the caller's organisation, on the session of this request."""
    return ProjectService(session, Member.of(member))


ProjectServiceDep = Annotated[ProjectService, Depends(get_project_service)]
