"""Rows that may not be there: used at once, through a service, and after checks of every kind."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    title: Mapped[str]
    stock: Mapped[int]


class Change(BaseModel):
    book_id: int
    stock: int


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


class Books:
    def __init__(self, session: SessionDep) -> None:
        self.session = session

    def find(self, book_id: int) -> Book | None:
        return self.session.scalars(select(Book).where(Book.id == book_id)).first()

    def find_whole(self, book_id: int) -> Book | None:
        book = self.session.get(Book, book_id)
        if book is None:
            return None
        return book

    def require(self, book_id: int) -> Book:
        book = self.find(book_id)
        if not book:
            raise HTTPException(404)
        return book


BooksDep = Annotated[Books, Depends()]


@app.get("/{book_id}/at-once")
def at_once(book_id: int, session: SessionDep) -> str:
    return session.query(Book).filter(Book.id == book_id).first().title  # finding: none-result-dereferenced


@app.get("/{book_id}/service")
def through_service(book_id: int, books: BooksDep) -> str:
    book = books.find(book_id)
    return book.title  # finding: none-result-dereferenced


@app.get("/{book_id}/service-twice")
def through_service_with_a_check_of_its_own(book_id: int, books: BooksDep) -> str:
    book = books.find_whole(book_id)
    return book.title  # finding: none-result-dereferenced


@app.post("/stock")
def set_stock(change: Change, session: SessionDep) -> None:
    book = session.scalar(select(Book).where(Book.id == change.book_id))
    book.stock = change.stock  # finding: none-result-dereferenced
    session.commit()


@app.get("/{book_id}/wrong-test")
def tests_something_else(book_id: int, session: SessionDep, loud: bool = False) -> str:
    book = session.get(Book, book_id)
    if loud:
        return book.title.upper()  # finding: none-result-dereferenced
    return "" if book is None else book.title


@app.get("/{book_id}/required")
def required(book_id: int, books: BooksDep, session: SessionDep) -> str:
    return books.require(book_id).title + session.scalars(select(Book).where(Book.id == book_id)).one().title


@app.get("/{book_id}/checked")
def checked(book_id: int, session: SessionDep) -> str:
    book = session.get(Book, book_id)
    if not book or book.stock == 0:
        raise HTTPException(404)
    return book.title


@app.get("/{book_id}/either")
def either(book_id: int, session: SessionDep) -> list[str]:
    book = session.get(Book, book_id)
    other = session.get(Book, book_id + 1)
    names = [book.title if book else "", (other and other.title) or ""]
    if (third := session.get(Book, book_id + 2)) is not None:
        names.append(third.title)
    return names


@app.get("/{book_id}/branches")
def branches(book_id: int, session: SessionDep) -> str:
    book = session.get(Book, book_id)
    if book is None:
        raise HTTPException(404)
    elif book.stock == 0:
        return "sold out"
    return book.title


@app.get("/{book_id}/elif")
def in_the_test_of_a_branch(book_id: int, session: SessionDep) -> str:
    book = session.get(Book, book_id)
    if not book:
        answer = "unknown"
    elif book.stock:
        answer = book.title
    else:
        answer = "sold out"
    return answer


@app.get("/{book_id}/made")
def made_when_missing(book_id: int, session: SessionDep) -> str:
    book = session.get(Book, book_id)
    if book is None:
        book = Book(id=book_id, title="new", stock=0)
        session.add(book)
    return book.title


def ensure_there(book: Book | None) -> None:
    if book is None:
        raise HTTPException(404)


@app.get("/{book_id}/helper")
def checked_by_a_helper(book_id: int, session: SessionDep) -> str:
    book = session.get(Book, book_id)
    ensure_there(book)
    return book.title


@app.get("/{book_id}/caught")
def caught(book_id: int, session: SessionDep) -> str:
    book = session.get(Book, book_id)
    try:
        return book.title
    except AttributeError:
        raise HTTPException(404) from None


@app.get("/{book_id}/asserted")
def asserted(book_id: int, session: SessionDep) -> str:
    book = session.get(Book, book_id)
    assert book is not None
    return book.title


@app.get("/numbers")
def numbers(session: SessionDep) -> int:
    return session.execute(select(func.count(Book.id).label("number"))).first().number  # silent: a count is always there
