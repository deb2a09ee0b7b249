"""The audit log over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from ..problem_details import Forbidden, InvalidInput, NotAuthenticated, problems
from .dependencies import AuditServiceDep
from .schemas import AuditPage, AuditQuery

router = APIRouter(
    prefix="/audit-events",
    tags=["audit log"],
    responses=problems(NotAuthenticated, Forbidden, InvalidInput),
)


@router.get("", summary="List audit events")
async def list_audit_events(query: Annotated[AuditQuery, Query()], service: AuditServiceDep) -> AuditPage:
    """Return a page of who did what in the caller's tenant, newest first. Needs the permission `audit:read`."""
    return AuditPage.of(await service.list_events(query))
