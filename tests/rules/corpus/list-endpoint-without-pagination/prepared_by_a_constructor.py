"""Rows that a constructor reads on the way are not the answer; those that a method returns are."""

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase): ...


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


class BookShare(BaseModel):
    title: str


class Shares:
    def __init__(self) -> None:
        self.known = len(self.read())

    def read(self) -> list[Book]:
        with Session(engine) as session:
            return list(session.scalars(select(Book)))

    def fetched(self) -> list[BookShare]:
        return [BookShare(title="Dune")]


@app.get("/shares", response_model=list[BookShare])
def shares() -> list[BookShare]:
    return Shares().fetched()


@app.get("/books", response_model=list[BookShare])
def books() -> list[Book]:  # finding: list-endpoint-without-pagination
    return Shares().read()
