"""Authors, books and what belongs to a book."""

from sqlalchemy import Float, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, CreatedAt, IntPk


class Author(Base):
    """Somebody who wrote a book that we sell."""

    __tablename__ = "authors"

    id: Mapped[IntPk]
    name: Mapped[str] = mapped_column(String(200), index=True)
    country: Mapped[str | None] = mapped_column(String(2))


class Book(Base):
    """A title that we sell."""

    __tablename__ = "books"

    id: Mapped[IntPk]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), index=True)
    title: Mapped[str] = mapped_column(String(300), index=True)
    subtitle: Mapped[str | None] = mapped_column(String(300))  # finding: model-migration-drift
    isbn: Mapped[str] = mapped_column(String(20), unique=True)
    summary: Mapped[str | None] = mapped_column(String(2000))
    price: Mapped[float] = mapped_column(Float)  # finding: money-as-float
    stock: Mapped[int] = mapped_column(default=0)
    is_featured: Mapped[bool] = mapped_column(default=False, index=True)

    author: Mapped[Author] = relationship()


class Edition(Base):
    """One printed or electronic form of a book."""

    __tablename__ = "editions"

    id: Mapped[IntPk]
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)
    binding: Mapped[str] = mapped_column(String(20))
    pages: Mapped[int]


class Cover(Base):
    """A picture of a book that somebody uploaded."""

    __tablename__ = "covers"

    id: Mapped[IntPk]
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[CreatedAt]


class ApiClient(Base):
    """A site that reads our feeds; rows are made by hand when a contract is signed."""

    __tablename__ = "api_clients"

    id: Mapped[IntPk]
    name: Mapped[str] = mapped_column(String(120))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
