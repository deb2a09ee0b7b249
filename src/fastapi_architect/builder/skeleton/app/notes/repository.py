"""Queries for notes."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from app.components.database import Order, Repository, contains, equals

from .models import Note


class NoteRepository(Repository[Note]):
    # [with tenancy]
    """Finds, lists, adds and deletes the notes of one organisation: no identifier opens another one's.

    This is the first wall. Row-level security is the second, for the query that does not begin with `visible`.
    """
    # [without tenancy]
    """Finds, lists, adds and deletes the notes of one owner: no identifier opens anybody else's."""
    # [end]

    model = Note
    #: An order that is not named here cannot be asked for; each has its index.
    orders: ClassVar = {
        "newest": Order(Note.created_at, descending=True),
        "oldest": Order(Note.created_at),
        "title": Order(Note.title),
    }
    filters: ClassVar = {"is_pinned": equals(Note.is_pinned), "title": contains(Note.title)}
    missing: ClassVar = "There is no such note."

    # [with tenancy]
    def __init__(self, session: AsyncSession, tenant_id: UUID, author_id: UUID) -> None:
        super().__init__(session)
        self._tenant_id = tenant_id
        self._author_id = author_id

    def visible(self) -> Select[Note]:
        """Return the query that every other one begins with."""
        return super().visible().where(Note.tenant_id == self._tenant_id)

    async def add(self, row: Note) -> Note:
        """Add a note of the organisation's, written by whoever asks."""
        row.tenant_id = self._tenant_id
        row.author_id = self._author_id
        return await super().add(row)
    # [without tenancy]
    def __init__(self, session: AsyncSession, owner_id: UUID) -> None:
        super().__init__(session)
        self._owner_id = owner_id

    def visible(self) -> Select[Note]:
        """Return the query that every other one begins with."""
        return super().visible().where(Note.owner_id == self._owner_id)

    async def add(self, row: Note) -> Note:
        """Add a note of the owner's."""
        row.owner_id = self._owner_id
        return await super().add(row)
    # [end]
