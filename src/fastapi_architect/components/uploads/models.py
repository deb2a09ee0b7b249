"""The tables of uploads: who owns which file, and where files lie in the database, their bytes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, String, func
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


class StoredFile(Base):
    """A file in the database, as far as it has arrived. It belongs to no table's row: an upload names its key, and others may."""

    __tablename__ = "stored_files"

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    #: Before, nobody can read it.
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    chunks: Mapped[int] = mapped_column(default=0, server_default="0")
    size: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class StoredChunk(Base):
    """A part of a file. Only a transaction that names the key of the file sees it."""

    __tablename__ = "stored_chunks"

    key: Mapped[str] = mapped_column(
        String(32), ForeignKey("stored_files.key", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)
