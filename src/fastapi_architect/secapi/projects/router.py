"""Projects over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response, status

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

from .dependencies import ProjectId, ProjectServiceDep
from .schemas import NewProject, ProjectChange, ProjectQuery, PublishedProject

router = APIRouter(prefix="/projects", tags=["projects"])

READING = [Depends(require_in_tenant("projects:read"))]
WRITING = [Depends(require_in_tenant("projects:write"))]
DELETING = [Depends(require_in_tenant("projects:delete"))]
OF_CHANGING = problems(Forbidden, NotFound, PreconditionFailed, PreconditionRequired)


@router.post(
    "",
    summary="Begin a project",
    status_code=status.HTTP_201_CREATED,
    dependencies=WRITING,
    responses=problems(Forbidden, NotFound, Conflict),
)
async def begin_project(
    new: NewProject, service: ProjectServiceDep, request: Request, response: Response
) -> PublishedProject:
    """Begin a project of the caller's organisation."""
    project = await service.begin(new)
    response.headers["Location"] = request.app.url_path_for("read_project", project_id=str(project.id))
    response.headers["ETag"] = etag(project)
    return PublishedProject.model_validate(project)


@router.get(
    "",
    summary="List projects",
    dependencies=READING,
    responses=problems(Forbidden, NotFound, InvalidInput),
)
async def list_projects(
    query: Annotated[ProjectQuery, Query()], service: ProjectServiceDep
) -> Page[PublishedProject]:
    """Return a page of the organisation's projects."""
    return Page[PublishedProject].of(await service.list(query))


@router.get(
    "/{project_id}",
    summary="Read a project",
    dependencies=READING,
    response_model=PublishedProject,
    responses=problems(Forbidden, NotFound) | {304: {"description": "You have this version."}},
)
async def read_project(
    project_id: ProjectId, service: ProjectServiceDep, response: Response, if_none_match: IfNoneMatch = None
) -> PublishedProject | Response:
    """Return a project; a change of it has to name its ETag."""
    project = await service.read(project_id)
    if is_unchanged(project, if_none_match):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag(project)})
    response.headers["ETag"] = etag(project)
    return PublishedProject.model_validate(project)


@router.patch("/{project_id}", summary="Change a project", dependencies=WRITING, responses=OF_CHANGING)
async def change_project(
    project_id: ProjectId,
    seen: SeenVersionDep,
    change: ProjectChange,
    service: ProjectServiceDep,
    response: Response,
) -> PublishedProject:
    """Change the fields that are sent, if nobody changed the project in between."""
    project = await service.change(project_id, seen, change)
    response.headers["ETag"] = etag(project)
    return PublishedProject.model_validate(project)


@router.delete(
    "/{project_id}",
    summary="Delete a project",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=DELETING,
    responses=OF_CHANGING,
)
async def delete_project(project_id: ProjectId, seen: SeenVersionDep, service: ProjectServiceDep) -> None:
    """Delete a project, if nobody changed it in between.

    Its scans and findings are no longer shown, and are deleted for good after a month, unless the operator says otherwise.
    """
    await service.delete(project_id, seen)
