"""Authors."""

import asyncio

from fastapi import APIRouter, Depends
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from sqlalchemy import select

from app.core.database import AsyncSessionDep, SessionDep
from app.core.errors import NotFound, PermissionDenied
from app.dependencies import AsyncCurrentUser, limit_by_client
from app.models import Author
from app.schemas.catalogue import AuthorOut, AuthorWrite
from app.schemas.fields import EntityId
from app.services import author_service

router = APIRouter(prefix="/authors", tags=["authors"])


@router.get("", response_model=list[AuthorOut], dependencies=[Depends(limit_by_client)])
def list_authors(session: SessionDep) -> list[Author]:  # finding: list-endpoint-without-pagination
    """Everybody whose books we sell."""
    return list(session.scalars(select(Author).order_by(Author.name, Author.id)))


@router.get("/{author_id}", response_model=AuthorOut)
def get_author(author_id: EntityId, session: SessionDep) -> JSONResponse:
    """One author."""
    author = session.get(Author, author_id)
    if author is None:
        raise NotFound("There is no such author.")
    return JSONResponse(content=jsonable_encoder(author))  # finding: response-model-bypassed


@router.put("/{author_id}", response_model=AuthorOut)
async def replace_author(
    author_id: EntityId, payload: AuthorWrite, user: AsyncCurrentUser, session: AsyncSessionDep
) -> Author:
    """Store an author again."""
    if not author_service.can_curate(session, user.id):  # finding: authorization-coroutine-not-awaited
        raise PermissionDenied("Only staff may edit authors.")
    author = await author_service.replace_author(session, author_id, payload)
    await author_service.record_activity(session, user.id, "author.replaced")
    await session.commit()
    asyncio.create_task(author_service.announce(author_id))  # finding: fire-and-forget-task
    return author
