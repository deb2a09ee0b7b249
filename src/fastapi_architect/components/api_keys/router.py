"""Keys over HTTP."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from ..database import Page, PageQuery
from ..problem_details import Forbidden, InvalidInput, NotFound, problems
from .dependencies import ApiKeyServiceDep, ApiKeySettingsDep, CallerDep
from .schemas import ApiKeyCreation, ApiKeyRecord, CreatedApiKey
from .service import NewKey

# It is included together with the guard that the component was made with.
router = APIRouter(prefix="/api-keys", tags=["API keys"])


@router.post(
    "",
    summary="Create an API key",
    status_code=status.HTTP_201_CREATED,
    responses=problems(Forbidden, InvalidInput),
)
async def create_api_key(
    wanted: ApiKeyCreation,
    principal: CallerDep,
    service: ApiKeyServiceDep,
    settings: ApiKeySettingsDep,
) -> CreatedApiKey:
    """Create a key and show it, once. It may do what it is told to, and never more than its creator."""
    days = wanted.days or settings.default_days
    if days > settings.maximum_days:
        raise InvalidInput(f"A key lives for {settings.maximum_days} days at most.")
    key, text = await service.create(
        principal,
        NewKey(wanted.name, frozenset(wanted.scopes), timedelta(days=days), for_service=wanted.for_service),
    )
    return CreatedApiKey(**ApiKeyRecord.model_validate(key).model_dump(), key=text)


@router.get("", summary="List API keys", responses=problems(InvalidInput))
async def list_api_keys(
    query: Annotated[PageQuery, Query()], principal: CallerDep, service: ApiKeyServiceDep
) -> Page[ApiKeyRecord]:
    """Return the caller's keys, newest first; who may manage keys sees those of services too, in an organisation all of it."""
    return Page[ApiKeyRecord].of(await service.list_keys(principal, query))


@router.get("/{key_id}", summary="Read an API key", responses=problems(NotFound))
async def read_api_key(key_id: UUID, principal: CallerDep, service: ApiKeyServiceDep) -> ApiKeyRecord:
    """Return one key, without its text."""
    return ApiKeyRecord.model_validate(await service.read(principal, key_id))


@router.delete(
    "/{key_id}",
    summary="Revoke an API key",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound),
)
async def revoke_api_key(key_id: UUID, principal: CallerDep, service: ApiKeyServiceDep) -> None:
    """End a key at once and for good."""
    await service.revoke(principal, key_id)
