"""Authors, and who may edit them."""

import asyncio
import logging

from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.cache import redis_client
from app.core.errors import NotFound
from app.models import ActivityLog, Author, User
from app.schemas.catalogue import AuthorWrite

logger = logging.getLogger(__name__)


async def can_curate(session: AsyncSession, user_id: int) -> bool:
    """Whether somebody may edit what we say about authors."""
    role = await session.scalar(select(User.role).where(User.id == user_id))
    return role in ("staff", "admin")


async def replace_author(session: AsyncSession, author_id: int, payload: AuthorWrite) -> Author:
    """Store an author as staff entered them again.

    Raises:
        NotFound: if there is no such author.
    """
    author = await session.get(Author, author_id)
    if author is None:
        raise NotFound("There is no such author.")
    author.name = payload.name
    author.country = payload.country
    return author


async def record_activity(session: AsyncSession, user_id: int, action: str) -> None:
    """Add a line to the history of a user."""
    session.add(ActivityLog(user_id=user_id, action=action))
    await session.flush()


async def announce(author_id: int) -> None:
    """Tell the search index that an author has changed."""
    try:
        await asyncio.to_thread(redis_client.publish, "authors", str(author_id))
    except RedisError:
        logger.warning("the search index was not told about author %s", author_id, exc_info=True)
