"""The smallest application with a database: notes that are written, listed, changed and deleted by their owner.

The owner is whoever the header says. That is an example of ownership, and not of authentication.
"""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Response
from pydantic import AwareDatetime, Field
from sqlalchemy import Index, Select, String
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from fastapi_architect.components.database import (
    Base,
    Database,
    InputModel,
    Order,
    OutputModel,
    Page,
    PageQuery,
    Repository,
    SeenVersionDep,
    SessionDep,
    Slice,
    SoftDeleted,
    Timestamped,
    Uuid7Id,
    Versioned,
    at_least,
    contains,
    etag,
)
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import install


class ExampleNote(Uuid7Id, Timestamped, SoftDeleted, Versioned, Base):
    """A note."""

    __tablename__ = "owned_notes"
    __table_args__ = (
        Index(None, "owner_id", "id"),
        Index(None, "owner_id", "title", "id"),
        Index(None, "owner_id", "rank", "id"),
    )

    owner_id: Mapped[UUID] = mapped_column()
    title: Mapped[str] = mapped_column(String(200))
    rank: Mapped[int] = mapped_column(default=0)
    slug: Mapped[str | None] = mapped_column(String(50), unique=True)


class NoteSort(StrEnum):
    """Orders of the list."""

    NEWEST = "newest"
    TITLE = "title"
    TITLE_BACKWARDS = "-title"
    RANK = "-rank"


class NoteQuery(PageQuery):
    """Which notes the caller wants."""

    sort: NoteSort = NoteSort.NEWEST
    title: Annotated[str | None, Field(max_length=200, description="Part of the title.")] = None
    created_after: AwareDatetime | None = None


class NewNote(InputModel):
    """A note to write."""

    title: Annotated[str, Field(min_length=1, max_length=200, examples=["Groceries"])]
    rank: int = 0
    slug: Annotated[str | None, Field(max_length=50)] = None


class NoteChange(InputModel):
    """A new title."""

    title: Annotated[str, Field(min_length=1, max_length=200, examples=["Groceries for Monday"])]


class PublishedNote(OutputModel):
    """A note as its owner sees it."""

    id: UUID
    title: str
    rank: int
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime


class NoteRepository(Repository[ExampleNote]):
    """Finds the notes of one owner."""

    model = ExampleNote
    orders = {  # noqa: RUF012
        NoteSort.NEWEST: Order(ExampleNote.id, descending=True),
        NoteSort.TITLE: Order(ExampleNote.title),
        NoteSort.TITLE_BACKWARDS: Order(ExampleNote.title, descending=True),
        NoteSort.RANK: Order(ExampleNote.rank, descending=True),
    }
    filters = {  # noqa: RUF012
        "title": contains(ExampleNote.title),
        "created_after": at_least(ExampleNote.created_at),
    }
    missing = "You have no such note."
    duplicate = "You have a note with this slug."

    def __init__(self, session: AsyncSession, owner_id: UUID) -> None:
        super().__init__(session)
        self._owner_id = owner_id

    def visible(self) -> Select[ExampleNote]:
        """Return the query of the owner's notes."""
        return super().visible().where(ExampleNote.owner_id == self._owner_id)


async def get_notes(session: SessionDep, x_owner: Annotated[UUID, Header()]) -> NoteRepository:
    """Return the notes of the caller."""
    return NoteRepository(session, x_owner)


NotesDep = Annotated[NoteRepository, Depends(get_notes)]


def create_app(database: Database) -> FastAPI:
    """Return the application."""
    app = FastAPI()

    @app.post("/notes", status_code=201)
    async def write_note(
        new: NewNote,
        notes: NotesDep,
        session: SessionDep,
        x_owner: Annotated[UUID, Header()],
        response: Response,
    ) -> PublishedNote:
        """Keep a note."""
        note = await notes.add(ExampleNote(owner_id=x_owner, **new.model_dump()))
        await session.commit()
        response.headers["ETag"] = etag(note)
        return PublishedNote.model_validate(note)

    @app.get("/notes")
    async def list_notes(query: Annotated[NoteQuery, Query()], notes: NotesDep) -> Page[PublishedNote]:
        """Return a page of notes."""
        page: Slice[ExampleNote] = await notes.list(query)
        return Page[PublishedNote].of(page)

    @app.get("/notes/{note_id}")
    async def read_note(note_id: UUID, notes: NotesDep, response: Response) -> PublishedNote:
        """Return a note."""
        note = await notes.get(note_id)
        response.headers["ETag"] = etag(note)
        return PublishedNote.model_validate(note)

    @app.patch("/notes/{note_id}")
    async def change_note(
        note_id: UUID, change: NoteChange, seen: SeenVersionDep, notes: NotesDep, session: SessionDep
    ) -> PublishedNote:
        """Give a note another title."""
        note = await notes.get(note_id)
        seen.require(note)
        note.title = change.title
        await session.commit()
        return PublishedNote.model_validate(note)

    @app.delete("/notes/{note_id}", status_code=204)
    async def delete_note(note_id: UUID, notes: NotesDep, session: SessionDep) -> None:
        """Delete a note."""
        await notes.soft_delete(await notes.get(note_id))
        await session.commit()

    @app.post("/half-done", status_code=204)
    async def fail_half_way(notes: NotesDep, session: SessionDep, x_owner: Annotated[UUID, Header()]) -> None:
        """Write, and fail before the commit."""
        await notes.add(ExampleNote(owner_id=x_owner, title="half done"))
        raise RuntimeError("something went wrong after the write")

    install(app, [ProblemDetails(), database])
    return app
