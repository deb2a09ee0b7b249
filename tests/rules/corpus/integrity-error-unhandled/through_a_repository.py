"""The value travels through a service; looking first helps one request, not two."""

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    isbn: Mapped[str] = mapped_column(unique=True)


class BookIn(BaseModel):
    isbn: str


def store(session: Session, given: BookIn) -> Book:
    book = Book(**given.model_dump())
    session.add(book)  # finding: integrity-error-unhandled
    session.commit()
    return book


@app.post("/books")
def add_book(given: BookIn) -> int:
    with Session(engine) as session:
        if session.scalar(select(Book.id).where(Book.isbn == given.isbn)):
            raise HTTPException(409, "we have it")
        return store(session, given).id
