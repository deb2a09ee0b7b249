"""Branches over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response, status

from fastapi_architect.components.database import (
    IfNoneMatch,
    Page,
    PreconditionRequired,
    SeenVersionDep,
    etag,
    is_unchanged,
)
from fastapi_architect.components.problem_details import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    problems,
)
from fastapi_architect.components.tenancy import require_in_tenant

from ..projects.dependencies import ProjectId
from .dependencies import BranchId, BranchServiceDep
from .schemas import BranchChange, BranchQuery, PublishedBranch

router = APIRouter(prefix="/projects/{project_id}/branches", tags=["branches"])

READING = [Depends(require_in_tenant("projects:read"))]
WRITING = [Depends(require_in_tenant("projects:write"))]
OF_CHANGING = problems(Forbidden, NotFound, Conflict, PreconditionFailed, PreconditionRequired, InvalidInput)


@router.get(
    "",
    summary="List branches",
    dependencies=READING,
    responses=problems(Forbidden, NotFound, InvalidInput),
)
async def list_branches(
    project_id: ProjectId, query: Annotated[BranchQuery, Query()], service: BranchServiceDep
) -> Page[PublishedBranch]:
    """Return a page of the branches of a project, each as its newest scan left it."""
    found = await service.list(project_id, query)
    return Page[PublishedBranch](items=found.items, next_cursor=found.next_cursor)


@router.get(
    "/{branch_id}",
    summary="Read a branch",
    dependencies=READING,
    response_model=PublishedBranch,
    responses=problems(Forbidden, NotFound) | {304: {"description": "You have this version."}},
)
async def read_branch(
    project_id: ProjectId,
    branch_id: BranchId,
    service: BranchServiceDep,
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> PublishedBranch | Response:
    """Return a branch; a change of it has to name its ETag."""
    branch, published = await service.read(project_id, branch_id)
    if is_unchanged(branch, if_none_match):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag(branch)})
    response.headers["ETag"] = etag(branch)
    return published


@router.patch("/{branch_id}", summary="Change a branch", dependencies=WRITING, responses=OF_CHANGING)
async def change_branch(
    project_id: ProjectId,
    branch_id: BranchId,
    seen: SeenVersionDep,
    change: BranchChange,
    service: BranchServiceDep,
    response: Response,
) -> PublishedBranch:
    """Choose what new findings of a branch are counted against, put it away or take it back."""
    branch, published = await service.change(project_id, branch_id, seen, change)
    response.headers["ETag"] = etag(branch)
    return published


@router.delete(
    "/{branch_id}",
    summary="Put a branch away",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=WRITING,
    responses=OF_CHANGING,
)
async def archive_branch(
    project_id: ProjectId, branch_id: BranchId, seen: SeenVersionDep, service: BranchServiceDep
) -> None:
    """List a branch no more. Its findings and their history stay, and its next scan takes it back."""
    await service.archive(project_id, branch_id, seen)
