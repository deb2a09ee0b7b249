"""Findings over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response, status

from fastapi_architect.components.database import Page, PreconditionRequired, SeenVersionDep, etag
from fastapi_architect.components.problem_details import (
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    problems,
)
from fastapi_architect.components.tenancy import require_in_tenant

from ..projects.dependencies import ProjectId
from ..projects.schemas import BranchName
from .dependencies import FindingId, FindingServiceDep
from .presenting import whole
from .schemas import (
    BulkDecision,
    Decided,
    Decision,
    EventKind,
    FindingQuery,
    HistoryEntry,
    ItemOutcome,
    NewComment,
    PublishedFinding,
    WholeFinding,
)

router = APIRouter(tags=["findings"])

READING = [Depends(require_in_tenant("findings:read"))]
TRIAGING = [Depends(require_in_tenant("findings:triage"))]
COMMENTING = [Depends(require_in_tenant("findings:comment"))]
OF_READING = problems(Forbidden, NotFound, InvalidInput)


@router.get(
    "/projects/{project_id}/findings", summary="List findings", dependencies=READING, responses=OF_READING
)
async def list_findings(
    project_id: ProjectId, query: Annotated[FindingQuery, Query()], service: FindingServiceDep
) -> Page[PublishedFinding]:
    """Return a page of the findings of a branch."""
    return Page[PublishedFinding].of(await service.list(project_id, query))


@router.post(
    "/projects/{project_id}/findings/triage",
    summary="Decide about several findings",
    dependencies=TRIAGING,
    responses=OF_READING,
)
async def decide_all(project_id: ProjectId, decision: BulkDecision, service: FindingServiceDep) -> Decided:
    """Keep the same decision about all of them or about none; with `partial`, about those that can be, and say so of each."""
    if not decision.partial:
        return Decided(changed=await service.decide_all(project_id, decision))
    results = await service.decide_each(project_id, decision)
    changed = sum(each.outcome is ItemOutcome.DECIDED for each in results)
    return Decided(changed=changed, results=tuple(results))


@router.get("/findings/{finding_id}", summary="Read a finding", dependencies=READING, responses=OF_READING)
async def read_finding(
    finding_id: FindingId,
    service: FindingServiceDep,
    response: Response,
    branch: Annotated[BranchName | None, Query(description="None: the project's default branch.")] = None,
) -> WholeFinding:
    """Return a finding with all that the engine says of it; a decision about it has to name its ETag."""
    found = await service.read(finding_id, branch)
    response.headers["ETag"] = etag(found.finding)
    return whole(found)


@router.patch(
    "/findings/{finding_id}",
    summary="Decide about a finding",
    dependencies=TRIAGING,
    responses=problems(Forbidden, NotFound, PreconditionFailed, PreconditionRequired, InvalidInput),
)
async def decide(
    finding_id: FindingId,
    seen: SeenVersionDep,
    decision: Decision,
    service: FindingServiceDep,
    response: Response,
) -> WholeFinding:
    """Keep a decision about a finding, if nobody changed it in between."""
    found = await service.decide(finding_id, seen, decision)
    response.headers["ETag"] = etag(found.finding)
    return whole(found)


@router.get(
    "/findings/{finding_id}/events",
    summary="Read the history of a finding",
    dependencies=READING,
    responses=OF_READING,
)
async def read_history(
    finding_id: FindingId,
    service: FindingServiceDep,
    kind: EventKind | None = None,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="The last `id` that was seen.")] = 0,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 100,
) -> list[HistoryEntry]:
    """Return what scans and people made of it, oldest first."""
    return [
        HistoryEntry.model_validate(each) for each in await service.history(finding_id, kind, after, limit)
    ]


@router.post(
    "/findings/{finding_id}/comments",
    summary="Comment on a finding",
    status_code=status.HTTP_201_CREATED,
    dependencies=COMMENTING,
    responses=problems(Forbidden, NotFound),
)
async def comment(finding_id: FindingId, new: NewComment, service: FindingServiceDep) -> HistoryEntry:
    """Keep what somebody says about a finding; it becomes part of its history."""
    return HistoryEntry.model_validate(await service.comment(finding_id, new.text))
