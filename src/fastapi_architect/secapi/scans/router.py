"""Scans over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response, status

from fastapi_architect.components.database import Page
from fastapi_architect.components.idempotency import IdempotentRequestDep
from fastapi_architect.components.problem_details import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    TooManyRequests,
    problems,
)
from fastapi_architect.components.rate_limiting import limit
from fastapi_architect.components.tenancy import require_in_tenant

from ..projects.dependencies import ProjectId, ProjectServiceDep
from .dependencies import ScanId, ScanServiceDep
from .schemas import NewScan, PublishedScan, ScanProgress, ScanQuery

router = APIRouter(tags=["scans"])

READING = [Depends(require_in_tenant("scans:read"))]
SUBMITTING = [Depends(require_in_tenant("scans:submit")), Depends(limit("120/minute", by="tenant"))]
OF_SUBMITTING = problems(Forbidden, NotFound, Conflict, InvalidInput, TooManyRequests)
OF_ENDING = problems(Forbidden, NotFound, Conflict)


@router.post(
    "/projects/{project_id}/scans",
    summary="Submit a scan",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=SUBMITTING,
    responses=OF_SUBMITTING,
)
async def submit_scan(
    project_id: ProjectId,
    new: NewScan,
    service: ScanServiceDep,
    idempotent: IdempotentRequestDep,
    request: Request,
    response: Response,
) -> PublishedScan:
    """Accept a file that was uploaded; `Location` says where the scan stands.

    An archive is reviewed by a worker. Results of other tools (`kind` sarif) and reports of our engine that was run elsewhere
    (`kind` report) are read by one: each tool is matched by itself, and closes nothing that another one found.
    """
    scan = await service.submit(project_id, new, idempotent)
    response.headers["Location"] = request.app.url_path_for("read_scan", scan_id=str(scan.id))
    return scan


@router.get(
    "/projects/{project_id}/scans",
    summary="List scans",
    dependencies=READING,
    responses=problems(Forbidden, NotFound, InvalidInput),
)
async def list_scans(
    project_id: ProjectId,
    query: Annotated[ScanQuery, Query()],
    projects: ProjectServiceDep,
    service: ScanServiceDep,
) -> Page[PublishedScan]:
    """Return a page of the project's scans."""
    await projects.read(project_id)
    return Page[PublishedScan].of(await service.list(project_id, query))


@router.get(
    "/scans/{scan_id}", summary="Read a scan", dependencies=READING, responses=problems(Forbidden, NotFound)
)
async def read_scan(scan_id: ScanId, service: ScanServiceDep) -> PublishedScan:
    """Return a scan: where it stands, and once it is done what was found."""
    return PublishedScan.model_validate(await service.read(scan_id))


@router.get(
    "/scans/{scan_id}/events",
    summary="Read the progress of a scan",
    dependencies=READING,
    responses=problems(Forbidden, NotFound),
)
async def read_events(
    scan_id: ScanId,
    service: ScanServiceDep,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="The last `id` that was seen.")] = 0,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 100,
) -> list[ScanProgress]:
    """Return what happened to a scan after a cursor, oldest first: a listener resumes here after a gap."""
    return [ScanProgress.model_validate(each) for each in await service.events(scan_id, after, limit)]


@router.post("/scans/{scan_id}/cancel", summary="Cancel a scan", dependencies=SUBMITTING, responses=OF_ENDING)
async def cancel_scan(scan_id: ScanId, service: ScanServiceDep) -> PublishedScan:
    """End a scan: at once if it waits, as soon as its worker notices if it runs."""
    return PublishedScan.model_validate(await service.cancel(scan_id))


@router.post(
    "/scans/{scan_id}/retry", summary="Try a scan again", dependencies=SUBMITTING, responses=OF_ENDING
)
async def retry_scan(scan_id: ScanId, service: ScanServiceDep) -> PublishedScan:
    """Let a scan begin again that failed or died."""
    return PublishedScan.model_validate(await service.retry(scan_id))
