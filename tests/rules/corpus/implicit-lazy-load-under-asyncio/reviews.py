"""Relationships of rows of an asyncio session: read in code, by a schema, by the response model; and loaded before."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncAttrs, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

app = FastAPI()
engine = create_async_engine("sqlite+aiosqlite://")
new_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(AsyncAttrs, DeclarativeBase):
    pass


class Shelf(Base):
    __tablename__ = "shelves"
    id: Mapped[int] = mapped_column(primary_key=True)


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    shelf_id: Mapped[int] = mapped_column(ForeignKey("shelves.id"))
    shelf: Mapped[Shelf] = relationship(lazy="joined")
    reviews: Mapped[list["Review"]] = relationship(back_populates="book")


class Review(Base):
    __tablename__ = "reviews"
    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"))
    book: Mapped[Book] = relationship(back_populates="reviews")


class BookOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    title: str


class ReviewOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    book: BookOut


class Titled(BaseModel):
    title: str


async def get_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


class Reviews:
    def __init__(self, session: SessionDep) -> None:
        self.session = session

    async def find(self, review_id: int) -> Review:
        result = await self.session.execute(select(Review).where(Review.id == review_id))
        return result.scalar_one()

    async def find_whole(self, review_id: int) -> Review:
        statement = select(Review).where(Review.id == review_id).options(selectinload(Review.book))
        return (await self.session.execute(statement)).scalar_one()


ReviewsDep = Annotated[Reviews, Depends()]


@app.get("/{review_id}/title")
async def title(review_id: int, reviews: ReviewsDep) -> str:
    review = await reviews.find(review_id)
    return review.book.title  # finding: implicit-lazy-load-under-asyncio


def shown(review: Review) -> Titled:
    return Titled(title=review.book.title)  # finding: implicit-lazy-load-under-asyncio


@app.get("/{review_id}/shown")
async def shown_by_a_helper(review_id: int, session: SessionDep) -> Titled:
    review = await session.get_one(Review, review_id)
    return shown(review)


@app.get("/{review_id}/filled")
async def filled(review_id: int, reviews: ReviewsDep) -> ReviewOut:
    review = await reviews.find(review_id)
    return ReviewOut.model_validate(review)  # finding: implicit-lazy-load-under-asyncio


@app.get("/lists", response_model=list[ReviewOut])
async def lists(session: SessionDep) -> list[Review]:  # finding: implicit-lazy-load-under-asyncio
    return list(await session.scalars(select(Review).limit(20)))


@app.get("/{book_id}/reviews")
async def of_book(book_id: int, session: SessionDep) -> int:
    book = await session.get_one(Book, book_id)
    await session.refresh(book)
    return len(book.reviews)  # finding: implicit-lazy-load-under-asyncio


@app.post("/books/{shelf_id}")
async def add_book(shelf_id: int, name: str, session: SessionDep) -> int:
    book = Book(title=name, shelf_id=shelf_id)
    session.add(book)
    await session.commit()
    return len(book.reviews)  # finding: implicit-lazy-load-under-asyncio


@app.get("/{review_id}/whole", response_model=ReviewOut)
async def whole(review_id: int, reviews: ReviewsDep) -> Review:
    return await reviews.find_whole(review_id)


@app.get("/{review_id}/awaited")
async def awaited(review_id: int, reviews: ReviewsDep) -> str:
    review = await reviews.find(review_id)
    book = await review.awaitable_attrs.book
    return book.title


@app.get("/{book_id}/refreshed")
async def refreshed(book_id: int, session: SessionDep) -> int:
    book = await session.get_one(Book, book_id)
    await session.refresh(book, ["reviews"])
    return len(book.reviews)


@app.get("/{book_id}/mapper")
async def loaded_by_the_mapper(book_id: int, session: SessionDep) -> int:
    book = await session.get_one(Book, book_id)
    return book.shelf.id


def count_reviews(session: Session, book_id: int) -> int:
    return len(session.get_one(Book, book_id).reviews)


@app.get("/{book_id}/bridged")
async def bridged(book_id: int, session: SessionDep) -> int:
    return await session.run_sync(count_reviews, book_id)


@app.post("/{book_id}/reviews")
async def add_review(book_id: int, session: SessionDep) -> str:
    book = await session.get_one(Book, book_id)
    review = Review(book=book)
    session.add(review)
    await session.commit()
    return review.book.title


@app.get("/{book_id}/back")
async def back(book_id: int, session: SessionDep) -> list[str]:
    book = await session.get_one(Book, book_id, options=[selectinload(Book.reviews)])
    return [review.book.title for review in book.reviews]


@app.post("/{review_id}/moved")
async def moved(review_id: int, reviews: ReviewsDep, session: SessionDep) -> str:
    review = await reviews.find(review_id)
    review.book = Book(title="new", shelf_id=1)
    await session.commit()
    return review.book.title


async def load_books(reviews: list[Review]) -> None:
    for review in reviews:
        await review.awaitable_attrs.book


async def count(reviews: list[Review]) -> int:
    return len(reviews)


def title_of(review: Review) -> str:
    return review.book.title


def heading_of(review: Review) -> str:
    return review.book.title  # finding: implicit-lazy-load-under-asyncio


async def told(review: Review) -> str:
    await load_books([review])
    return title_of(review)


async def headed(review: Review) -> str:
    await count([review])
    return heading_of(review)


@app.get("/{review_id}/loaded-by-a-helper")
async def loaded_by_a_helper(review_id: int, reviews: ReviewsDep) -> str:
    return await told(await reviews.find(review_id))


@app.get("/{review_id}/helped-otherwise")
async def helped_otherwise(review_id: int, reviews: ReviewsDep) -> str:
    return await headed(await reviews.find(review_id))
