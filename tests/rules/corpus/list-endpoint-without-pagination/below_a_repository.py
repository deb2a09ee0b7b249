"""The repository filters by a flag and by an optional word only; the other list has a limit that nobody
bounds.
"""

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
    title: Mapped[str]
    is_sold: Mapped[bool]


class BookOut(BaseModel):
    id: int


async def get_session() -> AsyncSession:
    raise NotImplementedError


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def find_books(session: AsyncSession, word: str | None) -> list[Book]:
    statement = select(Book).where(Book.is_sold.is_(False))
    if word is not None:
        statement = statement.where(Book.title.contains(word))
    result = await session.execute(statement.order_by(Book.id))
    return list(result.scalars().all())


@app.get("/books", response_model=list[BookOut])
async def books(session: SessionDep, word: str = "") -> object:  # finding: list-endpoint-without-pagination
    return await find_books(session, word)


@app.get("/books/newest", response_model=list[BookOut])
async def list_newest(
    session: SessionDep,
    limit: int = 20,  # finding: list-endpoint-without-pagination
) -> list[Book]:
    result = await session.scalars(select(Book).order_by(Book.id.desc()).limit(limit))
    return list(result)
