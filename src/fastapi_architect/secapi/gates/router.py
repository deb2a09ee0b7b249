"""Gates over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from fastapi_architect.components.problem_details import Forbidden, NotFound, problems
from fastapi_architect.components.tenancy import require_in_tenant

from ..projects.dependencies import ProjectId
from .dependencies import GateServiceDep
from .schemas import GateQuery, GateVerdict

router = APIRouter(tags=["gates"])


@router.get(
    "/projects/{project_id}/gate",
    summary="Ask for the gate of a branch",
    dependencies=[Depends(require_in_tenant("findings:read"))],
    responses=problems(Forbidden, NotFound),
)
async def read_gate(
    project_id: ProjectId, query: Annotated[GateQuery, Query()], service: GateServiceDep
) -> GateVerdict:
    """Return the verdict on a branch, as its newest scan and people's decisions have it, and what closes its gate."""
    return await service.judge(project_id, query)
