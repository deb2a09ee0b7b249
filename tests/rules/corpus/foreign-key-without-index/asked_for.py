"""Children are asked for through a relationship and by a query; nobody asks for the editor's books."""

from sqlalchemy import Column, ForeignKey, Integer, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list["Book"]] = relationship()


class Editor(Base):
    __tablename__ = "editors"

    id: Mapped[int] = mapped_column(primary_key=True)


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))  # finding: foreign-key-without-index
    editor_id: Mapped[int] = mapped_column(ForeignKey("editors.id"))


class Copy(Base):
    __tablename__ = "copies"

    id = Column(Integer, primary_key=True)
    book_id = Column(Integer, ForeignKey("books.id"))  # finding: foreign-key-without-index


def copies_of(session: Session, book_id: int) -> list[Copy]:
    return list(session.scalars(select(Copy).where(Copy.book_id == book_id)))
