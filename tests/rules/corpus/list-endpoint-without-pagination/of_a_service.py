"""A service knows whose rows are asked for: what it holds differs from object to object, a constant of its class does not."""

from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = FastAPI()


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    shelf_id: Mapped[int]
    condition: Mapped[str]


class BookOut(BaseModel):
    id: int


async def get_session() -> AsyncSession:
    raise NotImplementedError


class Shelf:
    CONDITION = "new"
    shelf_id: int | None = None

    def __init__(self, session: Annotated[AsyncSession, Depends(get_session)], shelf_id: int) -> None:
        self.session = session
        self.shelf_id = shelf_id

    async def books(self, condition: str | None = None) -> list[Book]:
        statement = select(Book).where(Book.shelf_id == self.shelf_id)
        if condition is not None:
            statement = statement.where(Book.condition == condition)
        return list((await self.session.scalars(statement)).all())

    async def new_books(self) -> list[Book]:
        statement = select(Book).where(Book.condition == self.CONDITION)
        return list((await self.session.scalars(statement)).all())


@app.get("/shelves/{shelf_id}/books", response_model=list[BookOut])
async def books_of_a_shelf(shelf: Annotated[Shelf, Depends()]) -> object:
    return await shelf.books()


@app.get("/books", response_model=list[BookOut])
async def new_books(shelf: Annotated[Shelf, Depends()]) -> object:  # finding: list-endpoint-without-pagination
    return await shelf.new_books()
