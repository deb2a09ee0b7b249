"""A lookup that raises unless it is told not to: used as it is, told not to, and one whose flag is off by itself."""

from fastapi import FastAPI, HTTPException
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("postgresql://db/shop")


class Base(DeclarativeBase): ...


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


def find(session: Session, book_id: int, must_exist: bool = True) -> Book | None:
    book = session.scalars(select(Book).where(Book.id == book_id)).one_or_none()
    if must_exist and book is None:
        raise HTTPException(404)
    return book


def look(session: Session, book_id: int, must_exist: bool = False) -> Book | None:
    book = session.scalars(select(Book).where(Book.id == book_id)).one_or_none()
    if must_exist and not book:
        raise HTTPException(404)
    return book


@app.get("/found/{book_id}")
def found(book_id: int) -> str:
    with Session(engine) as session:
        book = find(session, book_id)
        return book.title


@app.get("/not-told/{book_id}")
def not_told(book_id: int) -> str:
    with Session(engine) as session:
        book = find(session, book_id, must_exist=False)
        return book.title  # finding: none-result-dereferenced


@app.get("/looked-for/{book_id}")
def looked_for(book_id: int) -> str:
    with Session(engine) as session:
        book = look(session, book_id)
        return book.title  # finding: none-result-dereferenced


@app.get("/demanded/{book_id}")
def demanded(book_id: int) -> str:
    with Session(engine) as session:
        book = look(session, book_id, True)
        return book.title
