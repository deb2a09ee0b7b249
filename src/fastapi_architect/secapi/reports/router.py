"""Reports over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response, status

from fastapi_architect.components.database import Page
from fastapi_architect.components.idempotency import IdempotentRequestDep
from fastapi_architect.components.problem_details import (
    Conflict,
    Forbidden,
    Gone,
    InvalidInput,
    NotFound,
    TooManyRequests,
    problems,
)
from fastapi_architect.components.rate_limiting import limit
from fastapi_architect.components.tenancy import require_in_tenant

from ..scans.dependencies import ScanId
from .dependencies import ReportId, ReportServiceDep
from .download import ReportDownload
from .schemas import NewReport, PublishedReport, ReportQuery

router = APIRouter(tags=["reports"])

READING = [Depends(require_in_tenant("reports:read"))]
CREATING = [Depends(require_in_tenant("reports:create")), Depends(limit("60/minute", by="tenant"))]
OF_DELETING = [Depends(require_in_tenant("reports:create"))]
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The bytes, as an attachment.",
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {
                    "version": 1,
                    "made_at": "2026-11-22T04:00:06Z",
                    "project": "Bookshop",
                    "scan": {"id": "018f0000-0000-7000-8000-000000000002", "branch": "main"},
                    "gate": {"passed": True, "counts": {}, "severity": "important", "compared_with": None},
                    "roots": [
                        {
                            "path": "",
                            "report": {"score": 100, "findings": []},
                            "error_code": None,
                            "error": None,
                            "decisions": [],
                        }
                    ],
                },
            },
            "application/sarif+json": {
                "schema": {"type": "object"},
                "example": {"version": "2.1.0", "runs": []},
            },
            "text/html": _BYTES,
            "text/csv": _BYTES,
        },
    }
}


@router.post(
    "/scans/{scan_id}/reports",
    summary="Ask for a report",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=CREATING,
    responses=problems(Forbidden, NotFound, Conflict, TooManyRequests),
)
async def create_report(
    scan_id: ScanId,
    new: NewReport,
    service: ReportServiceDep,
    idempotent: IdempotentRequestDep,
    request: Request,
    response: Response,
) -> PublishedReport:
    """Let a worker make a report of a scan that is done. `Location` says where it stands.

    Whoever asks again within an hour gets the same report, unless something was found or decided meanwhile.
    """
    report = await service.create(scan_id, new, idempotent)
    response.headers["Location"] = request.app.url_path_for("read_report", report_id=str(report.id))
    return report


@router.get(
    "/scans/{scan_id}/reports",
    summary="List the reports of a scan",
    dependencies=READING,
    responses=problems(Forbidden, NotFound, InvalidInput),
)
async def list_reports(
    scan_id: ScanId, query: Annotated[ReportQuery, Query()], service: ReportServiceDep
) -> Page[PublishedReport]:
    """Return a page of the reports that were asked for."""
    return Page[PublishedReport].of(await service.list(scan_id, query))


@router.get(
    "/reports/{report_id}",
    summary="Read where a report stands",
    dependencies=READING,
    responses=problems(Forbidden, NotFound),
)
async def read_report(report_id: ReportId, service: ReportServiceDep) -> PublishedReport:
    """Return a report: queued, ready, failed with a reason, or expired."""
    return await service.read(report_id)


@router.get(
    "/reports/{report_id}/content",
    summary="Download a report",
    response_class=Response,
    dependencies=READING,
    responses={**_CONTENT, **problems(Forbidden, NotFound, Conflict, Gone)},
)
async def download_report(report_id: ReportId, service: ReportServiceDep) -> ReportDownload:
    """Return the bytes of a report that is ready. While it is being made, `Retry-After` says when to ask again."""
    return ReportDownload(await service.content(report_id))


@router.delete(
    "/reports/{report_id}",
    summary="Delete a report",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=OF_DELETING,
    responses=problems(Forbidden, NotFound),
)
async def delete_report(report_id: ReportId, service: ReportServiceDep) -> None:
    """Delete a report for good. Another one can be made as long as its scan is there."""
    await service.delete(report_id)
