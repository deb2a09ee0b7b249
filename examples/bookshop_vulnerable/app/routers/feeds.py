"""The catalogue for other sites."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Security
from sqlalchemy import select

from app.core.database import SessionDep
from app.dependencies import feed_key_header, limit_by_client, require_api_client
from app.models import Book
from app.repositories import book_repository
from app.schemas.catalogue import FeedItem
from app.schemas.fields import AfterId, PageLimit

router = APIRouter(prefix="/feeds", tags=["feeds"], dependencies=[Depends(limit_by_client)])

PAUSE_SECONDS = 0.2


@router.get("/stock", response_model=list[FeedItem])
def list_stock(session: SessionDep, key: Annotated[str | None, Security(feed_key_header)], after: AfterId = 0, limit: PageLimit = 100) -> list[Book]:  # finding: optional-security-scheme-unchecked
    """A page of the stock, for sites with a feed key."""
    return book_repository.list_for_feed(session, after, limit)


@router.get("/books", response_model=list[FeedItem], dependencies=[Depends(require_api_client)])
def list_catalogue(session: SessionDep, after: AfterId = 0, limit: PageLimit = 100) -> list[Book]:
    """A page of the catalogue, for sites with a contract."""
    return book_repository.list_for_feed(session, after, limit)


@router.get("/changes", response_model=list[FeedItem], dependencies=[Depends(require_api_client)])
async def list_changes(session: SessionDep, after: AfterId = 0, limit: PageLimit = 100) -> list[Book]:
    """The books that are new since the last call, for sites with a contract."""
    time.sleep(PAUSE_SECONDS)  # finding: blocking-sleep-in-async
    statement = select(Book).where(Book.id > after).order_by(Book.id).limit(limit)
    return list(session.scalars(statement))  # finding: sync-db-session-in-async
