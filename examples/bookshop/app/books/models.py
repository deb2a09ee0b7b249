"""The catalogue."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, Index, Numeric, String, Text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class Book(Base):
    """A title that the shop sells."""

    __tablename__ = "books"
    __table_args__ = (
        CheckConstraint("price >= 0", name="price_not_negative"),
        CheckConstraint("stock >= 0", name="stock_not_negative"),
        Index("ix_books_title_id", "title", "id"),
        Index("ix_books_author_title_id", "author", "title", "id"),
        Index("ix_books_words", "words", postgresql_using="gin"),
    )

    isbn: Mapped[str] = mapped_column(String(13), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    author: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(2))
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    stock: Mapped[int] = mapped_column()
    cover_id: Mapped[UUID | None] = mapped_column()
    cover_media_type: Mapped[str | None] = mapped_column(String(20))
    #: What the search looks in; PostgreSQL keeps it, and nothing ever reads it.
    words: Mapped[str] = mapped_column(
        TSVECTOR,
        Computed("to_tsvector('simple', title || ' ' || author)", persisted=True),
        deferred=True,
        deferred_raiseload=True,
    )
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    @property
    def has_cover(self) -> bool:
        """Whether there is a picture to show."""
        return self.cover_id is not None
