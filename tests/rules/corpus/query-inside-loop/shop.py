"""Elements of a request and rows, looked up one by one, at once or through helpers; and loops over something else."""

import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, func, select, update
from sqlalchemy.exc import OperationalError
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
    price: Mapped[int]


class Line(BaseModel):
    book_id: int
    quantity: int


class Basket(BaseModel):
    lines: list[Line]


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


@app.post("/quotes")
def quote(basket: Basket, session: SessionDep) -> int:
    total = 0
    for line in basket.lines:
        statement = select(Book).where(Book.id == line.book_id)
        book = session.scalars(statement).one()  # finding: query-inside-loop
        total += book.price * line.quantity
    return total


@app.post("/quotes-at-once")
def quote_at_once(basket: Basket, session: SessionDep) -> int:
    statement = select(Book).where(Book.id.in_([line.book_id for line in basket.lines]))
    books = {book.id: book for book in session.scalars(statement)}
    return sum(books[line.book_id].price * line.quantity for line in basket.lines)


def author_of(session: Session, book: Book) -> str:
    author = session.get(Author, book.author_id)
    return author.name if author is not None else ""


@app.get("/authors")
def authors(session: SessionDep) -> list[str]:
    return [author_of(session, book) for book in session.scalars(select(Book))]  # finding: query-inside-loop


@app.get("/counts")
def counts(session: SessionDep) -> dict[str, int]:
    found = {}
    for author in session.query(Author).all():
        found[author.name] = session.query(Book).filter(Book.author_id == author.id).count()  # finding: query-inside-loop
    return found


@app.get("/counts-at-once")
def counts_at_once(session: SessionDep) -> dict[int, int]:
    rows = session.execute(select(Book.author_id, func.count()).group_by(Book.author_id))
    return {author_id: number for author_id, number in rows}


@app.post("/prices")
def set_prices(prices: dict[int, int], session: SessionDep) -> None:
    for book_id, price in prices.items():
        session.execute(update(Book).where(Book.id == book_id).values(price=price))  # finding: query-inside-loop
    session.commit()


@app.get("/patient")
def patient(book_id: int, session: SessionDep) -> int:
    for attempt in range(3):
        try:
            return session.scalars(select(Book.price).where(Book.id == book_id)).one()  # silent: attempts
        except OperationalError:
            time.sleep(attempt)
    return 0


@app.get("/poll")
def poll(book_ids: list[int], session: SessionDep) -> int:
    highest = 0
    for _ in book_ids:
        highest = max(highest, session.scalar(select(func.max(Book.price))) or 0)  # silent: does not depend on the element
    return highest


@app.post("/batches")
def batches(book_ids: list[int], session: SessionDep) -> list[int]:
    found: list[int] = []
    for start in range(0, len(book_ids), 500):
        found += session.scalars(select(Book.price).where(Book.id.in_(book_ids[start : start + 500])))  # silent: batches
    for some in [book_ids[:500], book_ids[500:]]:
        found += session.scalars(select(Book.price).where(Book.id.in_(some)))  # silent: batches
    return found


@app.get("/kinds")
def kinds(session: SessionDep) -> list[int]:
    return [len(session.scalars(select(Book).where(Book.price > price)).all()) for price in (10, 20, 50)]  # silent: three


@lru_cache
def name_of(author_id: int) -> str:
    with Session(engine) as session:
        return session.scalars(select(Author.name).where(Author.id == author_id)).one()


@app.get("/cached")
def cached(author_ids: list[int]) -> list[str]:
    return [name_of(author_id) for author_id in author_ids]  # silent: kept


@app.get("/held")
def held(session: SessionDep) -> list[str]:
    authors = {author.id: author for author in session.scalars(select(Author))}
    return [author_of(session, book) for book in session.scalars(select(Book)) if authors]  # silent: all authors are in the session


def refill() -> None:
    with Session(engine) as session:
        for author in session.scalars(select(Author)):
            session.execute(update(Book).where(Book.author_id == author.id).values(price=1))  # silent: no request runs it
