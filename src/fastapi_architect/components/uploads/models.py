"""The table of uploads: who owns which file."""

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base, Timestamped, Uuid7Id


class Upload(Uuid7Id, Timestamped, Base):
    """A file that was taken whole."""

    __tablename__ = "uploads"
    __table_args__ = (
        CheckConstraint("size >= 0", name="size_is_not_negative"),
        Index("ix_uploads_owner_id_id", "owner_id", "id"),
    )

    owner_id: Mapped[UUID]
    #: Under which name the bytes lie in the storage.
    storage_key: Mapped[str] = mapped_column(String(64), unique=True)
    #: For people. Nothing is opened under it.
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
