"""Queries for accounts."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.pagination import TimeCursor
from app.users.models import User


class UserRepository:
    """Finds and adds accounts."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, user_id: UUID) -> User | None:
        """Return the account with this identifier; the caller says whose it may be."""
        statement = select(User).where(User.id == user_id)
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def find_active(self, user_id: UUID) -> User | None:
        """Return the account with this identifier unless it is locked or not verified."""
        statement = select(User).where(
            User.id == user_id, User.is_active.is_(True), User.email_verified_at.is_not(None)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def find_by_email(self, email: str) -> User | None:
        """Return the account with this e-mail address."""
        statement = select(User).where(User.email == email)
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def add_unless_known(self, email: str, display_name: str, password_hash: str) -> UUID | None:
        """Add an account and return its identifier, or None when the address has one already."""
        statement = (
            insert(User)
            .values(email=email, display_name=display_name, password_hash=password_hash, version=1)
            .on_conflict_do_nothing(index_elements=[User.email])
            .returning(User.id)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def end_access(self, user_id: UUID) -> None:
        """Make all access tokens of the account worthless."""
        statement = update(User).where(User.id == user_id).values(access_epoch=User.access_epoch + 1)
        await self._session.execute(statement)

    async def list_after(self, cursor: TimeCursor | None, limit: int) -> Sequence[User]:
        """Return the next accounts, newest first."""
        statement = select(User).order_by(User.created_at.desc(), User.id.desc()).limit(limit)
        if cursor is not None:
            place = tuple_(User.created_at, User.id)
            statement = statement.where(place < (cursor.created_at, cursor.id))
        return (await self._session.execute(statement)).scalars().all()
