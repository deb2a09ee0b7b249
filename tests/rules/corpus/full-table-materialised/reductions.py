"""Counted, filtered, sliced, tested, the largest taken: with a session or a query, at once or by name."""

from fastapi import FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    price: Mapped[int]


@app.get("/count")
def count() -> int:
    with Session(engine) as session:
        return len(session.query(Book).filter(Book.price > 10).all())  # finding: full-table-materialised


@app.get("/first")
def first() -> int:
    with Session(engine) as session:
        books = list(session.scalars(select(Book).order_by(Book.price)))  # finding: full-table-materialised
        return books[0].price


@app.get("/cheap")
async def cheap(session: AsyncSession) -> list[int]:
    books = (await session.execute(select(Book))).scalars().all()  # finding: full-table-materialised
    return [book.id for book in books if book.price < 10]


@app.get("/page")
def page(start: int) -> list[int]:
    with Session(engine) as session:
        books = session.scalars(select(Book)).all()[0:20]  # finding: full-table-materialised
        return [book.id for book in books]


@app.get("/largest")
def largest() -> int:
    with Session(engine) as session:
        return max(book.price for book in session.scalars(select(Book)).all())  # finding: full-table-materialised


@app.get("/any")
def is_there_any() -> str:
    with Session(engine) as session:
        if not session.query(Book).all():  # finding: full-table-materialised
            return "none"
    return "some"
