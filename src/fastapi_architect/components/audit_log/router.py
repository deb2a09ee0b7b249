"""The audit log over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from ..problem_details import Forbidden, InvalidInput, NotAuthenticated, problems
from .dependencies import AuditServiceDep, OverviewServiceDep
from .schemas import AuditOverviewPage, AuditPage, AuditQuery, OverviewQuery

# Each is included together with the guard that the component was made with.
log = APIRouter(
    prefix="/audit-events",
    tags=["audit log"],
    responses=problems(NotAuthenticated, Forbidden, InvalidInput),
)
overview = APIRouter(
    prefix="/audit-events",
    tags=["audit log"],
    responses=problems(NotAuthenticated, Forbidden, InvalidInput),
)


@log.get("", summary="List audit events")
async def list_audit_events(query: Annotated[AuditQuery, Query()], service: AuditServiceDep) -> AuditPage:
    """Return a page of who did what in the caller's tenant, newest first. Needs a permission, by default `audit:read`."""
    return AuditPage.of(await service.list_events(query))


@overview.get("", summary="List audit events of every tenant")
async def list_every_audit_event(
    query: Annotated[OverviewQuery, Query()], service: OverviewServiceDep
) -> AuditOverviewPage:
    """Return a page of who did what in every tenant and in none, newest first. For operators of the service."""
    return AuditOverviewPage.of(await service.list_events(query))
