"""The second of two such transactions fails."""

from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("postgresql+psycopg://localhost/shop", isolation_level="SERIALIZABLE")


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    stock: Mapped[int]


@app.post("/books/{book_id}")
def sell(book_id: int) -> None:
    with Session(engine) as session:
        book = session.get_one(Book, book_id)
        book.stock -= 1
        session.commit()
