"""Queries for notes."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from app.components.database import Order, Repository, contains, equals

from .models import Note


class NoteRepository(Repository[Note]):
    """Finds, lists, adds and deletes the notes of one owner: no identifier opens anybody else's."""

    model = Note
    #: An order that is not named here cannot be asked for; each has its index.
    orders: ClassVar = {
        "newest": Order(Note.created_at, descending=True),
        "oldest": Order(Note.created_at),
        "title": Order(Note.title),
    }
    filters: ClassVar = {"is_pinned": equals(Note.is_pinned), "title": contains(Note.title)}
    missing: ClassVar = "You have no such note."

    def __init__(self, session: AsyncSession, owner_id: UUID) -> None:
        super().__init__(session)
        self._owner_id = owner_id

    def visible(self) -> Select[Note]:
        """Return the query that every other one begins with."""
        return super().visible().where(Note.owner_id == self._owner_id)
