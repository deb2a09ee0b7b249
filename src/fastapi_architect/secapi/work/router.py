"""Dead letters over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from fastapi_architect.components.problem_details import Conflict, Forbidden, NotFound, problems
from fastapi_architect.components.tenancy import require_in_tenant

from .dependencies import DeadLetterId, WorkServiceDep
from .schemas import DeadLetter, DeadLetterQuery

router = APIRouter(
    prefix="/work/dead-letters", tags=["work"], dependencies=[Depends(require_in_tenant("work:manage"))]
)
OF_READING = problems(Forbidden, NotFound)


@router.get("", summary="List dead letters", responses=OF_READING)
async def list_dead_letters(
    query: Annotated[DeadLetterQuery, Query()], service: WorkServiceDep
) -> Sequence[DeadLetter]:
    """Return the work of the organisation that was given up, with the reason; those of the newest work first."""
    return await service.list(query)


@router.get("/{dead_letter_id}", summary="Read a dead letter", responses=OF_READING)
async def read_dead_letter(dead_letter_id: DeadLetterId, service: WorkServiceDep) -> DeadLetter:
    """Return a dead letter, or what became of one that was replayed."""
    return await service.read(dead_letter_id)


@router.post(
    "/{dead_letter_id}/replay",
    summary="Replay a dead letter",
    responses=problems(Forbidden, NotFound, Conflict),
)
async def replay_dead_letter(dead_letter_id: DeadLetterId, service: WorkServiceDep) -> DeadLetter:
    """Try work again that was given up: a scan begins anew as a whole. Repeating the request changes nothing more."""
    return await service.replay(dead_letter_id)
