"""How notes are kept."""

from uuid import UUID

# [with tenancy]
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
# [without tenancy]
from sqlalchemy import CheckConstraint, Index, String, Text
# [end]
from sqlalchemy.orm import Mapped, mapped_column

from app.components.database import Base, SoftDeleted, Timestamped, Uuid7Id, Versioned


class Note(Uuid7Id, Timestamped, SoftDeleted, Versioned, Base):
    # [with tenancy]
    """A note of one organisation."""

    __tablename__ = "notes"
    __table_args__ = (
        CheckConstraint("title <> ''", name="title_not_empty"),
        # One index for each order of the list; both begin with the organisation, whose notes are all that a query reads.
        Index("ix_notes_tenant_id_created_at_id", "tenant_id", "created_at", "id"),
        Index("ix_notes_tenant_id_title_id", "tenant_id", "title", "id"),
    )

    #: Whose it is. Written out, because `TenantOwned` would bring a third index that begins with it.
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"))
    #: Whoever wrote it, as authentication names them.
    author_id: Mapped[UUID]
    # [without tenancy]
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
    # [end]
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    is_pinned: Mapped[bool] = mapped_column(default=False)
