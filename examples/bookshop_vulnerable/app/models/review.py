"""What readers say about books."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, CreatedAt, IntPk
from app.models.catalogue import Book


class Review(Base):
    """The opinion of one reader about one book."""

    __tablename__ = "reviews"

    id: Mapped[IntPk]
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))  # finding: foreign-key-without-index
    rating: Mapped[int]
    body: Mapped[str] = mapped_column(String(4000))
    helpful_votes: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[CreatedAt]

    book: Mapped[Book] = relationship()
