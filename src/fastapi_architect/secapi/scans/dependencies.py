"""How an operation asks for scans."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path
from fastapi.requests import HTTPConnection

from fastapi_architect.components.database import SessionDep
from fastapi_architect.components.service import installed
from fastapi_architect.components.tenancy import TenantMember

from ..membership import Member
from .component import Scans
from .service import ScanService

ScanId = Annotated[UUID, Path(description="The scan.")]


async def get_scan_service(
    connection: HTTPConnection, session: SessionDep, member: TenantMember
) -> ScanService:
    """Return the service for the scans of the caller's organisation, on the session of this request."""
    settings = installed(connection.app, Scans).settings
    return ScanService(session, Member.of(member), open_scans=settings.open_scans)


ScanServiceDep = Annotated[ScanService, Depends(get_scan_service)]
