"""One exception handler of the application answers for every route."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    isbn: Mapped[str] = mapped_column(unique=True)


@app.exception_handler(IntegrityError)
def conflict(request: Request, exc: IntegrityError) -> JSONResponse:
    return JSONResponse({"detail": "it exists"}, 409)


@app.post("/books")
def add_book(isbn: str) -> None:
    with Session(engine) as session:
        session.add(Book(isbn=isbn))
        session.commit()
