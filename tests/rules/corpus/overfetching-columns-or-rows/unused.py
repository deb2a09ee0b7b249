"""Texts, files and documents that a list loads and nobody reads: response models, loops, pages and helpers."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON, LargeBinary, String, Text, create_engine, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload
from sqlalchemy.schema import ForeignKey

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"), index=True)
    full_text: Mapped[str] = mapped_column(Text)
    cover: Mapped[bytes] = mapped_column(LargeBinary)


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    details: Mapped[dict[str, str]] = mapped_column(JSON)
    books: Mapped[list[Book]] = relationship()


class BookOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    title: str


class BookPage(BaseModel):
    items: list[BookOut]
    total: int


class ShopOut(BaseModel):
    id: int
    name: str
    books: list[BookOut]


async def get_session() -> AsyncSession:
    return AsyncSession()


SessionDep = Annotated[AsyncSession, Depends(get_session)]


@app.get("/books", response_model=list[BookOut])
async def list_books(session: SessionDep) -> Sequence[Book]:
    result = await session.execute(select(Book).limit(20))  # finding: overfetching-columns-or-rows
    return result.scalars().all()


@app.get("/of-shop", response_model=list[BookOut])
def books_of_shop(shop_id: int) -> list[Book]:
    with Session(engine) as session:
        query = session.query(Book).filter(Book.shop_id == shop_id)  # finding: overfetching-columns-or-rows
        return query.all()


@app.get("/page")
async def page(session: SessionDep) -> BookPage:
    statement = select(Book).order_by(Book.title)  # finding: overfetching-columns-or-rows
    statement = statement.limit(20)
    rows = (await session.scalars(statement)).all()
    return BookPage(items=[BookOut.model_validate(row) for row in rows], total=len(rows))


@app.get("/ids")
def ids() -> list[int]:
    with Session(engine) as session:
        statement = select(Book).where(Book.shop_id == 1)  # finding: overfetching-columns-or-rows
        books = session.scalars(statement).all()
        return [book.id for book in books]


@app.get("/loop")
def loop() -> dict[int, str]:
    found = {}
    with Session(engine) as session:
        for book in session.scalars(select(Book)):  # finding: overfetching-columns-or-rows
            found[book.id] = book.title
    return found


@app.get("/shops", response_model=list[ShopOut])
def shops() -> list[Shop]:
    with Session(engine) as session:
        shops = select(Shop).options(selectinload(Shop.books))  # finding: overfetching-columns-or-rows
        return list(session.scalars(shops))


def find_books(session: Session) -> Sequence[Book]:
    return session.scalars(select(Book).limit(5)).all()  # finding: overfetching-columns-or-rows


@app.get("/through-a-helper", response_model=list[BookOut])
def through_a_helper() -> Sequence[Book]:
    with Session(engine) as session:
        return find_books(session)
