"""How an operation asks for reports."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path
from fastapi.requests import HTTPConnection

from fastapi_architect.components.database import SessionDep
from fastapi_architect.components.service import installed
from fastapi_architect.components.tenancy import TenantMember

from ..membership import Member
from .component import Reports
from .service import ReportService

ReportId = Annotated[UUID, Path(description="The report.")]


async def get_report_service(
    connection: HTTPConnection, session: SessionDep, member: TenantMember
) -> ReportService:
    """Return the service for the reports of the caller's organisation, on the session of this request."""
    settings = installed(connection.app, Reports).settings
    return ReportService(session, Member.of(member), open_reports=settings.open_reports)


ReportServiceDep = Annotated[ReportService, Depends(get_report_service)]
