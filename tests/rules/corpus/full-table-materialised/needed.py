"""All rows are needed, or their number is limited, or the database reduces them."""

from fastapi import FastAPI
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    price: Mapped[int]


@app.get("/all")
def all_of_them() -> dict[str, object]:
    with Session(engine) as session:
        books = session.scalars(select(Book)).all()
        return {"count": len(books), "books": [book.id for book in books]}


@app.get("/limited")
def limited() -> int:
    with Session(engine) as session:
        return sum(book.price for book in session.scalars(select(Book).limit(10)))


@app.get("/filtered")
def filtered(book_ids: list[int]) -> int:
    with Session(engine) as session:
        books = session.scalars(select(Book).where(Book.id.in_(book_ids))).all()
        if len(books) != len(book_ids):
            return 0
        return sum(book.price for book in session.scalars(select(Book).where(Book.price > 5)))


@app.get("/count")
def count() -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(Book)) or 0


@app.get("/export")
def export() -> int:
    with Session(engine) as session:
        rows = session.scalars(select(Book).execution_options(yield_per=500))
        return sum(book.price for book in rows)


@app.get("/one")
def one(book_id: int) -> int:
    with Session(engine) as session:
        book = session.scalars(select(Book).where(Book.id == book_id)).one()
        return book.price
