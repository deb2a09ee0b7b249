"""SQLite keeps texts of any length; a number has to fit even there."""

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite:///shop.db")
app = FastAPI()


class Base(DeclarativeBase): ...


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    pages: Mapped[int]


class NewBook(BaseModel):
    title: str  # silent: SQLite keeps it
    pages: int  # finding: unbounded-input-field


@app.post("/books")
def add_book(book: NewBook) -> None:
    with Session(engine) as session:
        session.add(Book(title=book.title, pages=book.pages))
        session.commit()
