"""How notes are kept."""

from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.components.database import Base, SoftDeleted, Timestamped, Uuid7Id, Versioned


class Note(Uuid7Id, Timestamped, SoftDeleted, Versioned, Base):
    """A note of one owner."""

    __tablename__ = "notes"
    __table_args__ = (
        CheckConstraint("title <> ''", name="title_not_empty"),
        # One index for each order of the list; both begin with the owner, whose notes are all that a query reads.
        Index("ix_notes_owner_id_created_at_id", "owner_id", "created_at", "id"),
        Index("ix_notes_owner_id_title_id", "owner_id", "title", "id"),
    )

    #: Whoever wrote it, as authentication names them.
    owner_id: Mapped[UUID]
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    is_pinned: Mapped[bool] = mapped_column(default=False)
