"""Joined collections whose rows are fetched, cut off, or joined by the mapper."""

from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    contains_eager,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)


class Base(DeclarativeBase):
    pass


class Planet(Base):
    __tablename__ = "planets"
    id: Mapped[int] = mapped_column(primary_key=True)


class Country(Base):
    __tablename__ = "countries"
    id: Mapped[int] = mapped_column(primary_key=True)
    planet_id: Mapped[int] = mapped_column(ForeignKey("planets.id"), index=True)
    planet: Mapped[Planet] = relationship(lazy="joined")


class City(Base):
    __tablename__ = "cities"
    id: Mapped[int] = mapped_column(primary_key=True)
    country_id: Mapped[int] = mapped_column(ForeignKey("countries.id"), index=True)
    country: Mapped[Country] = relationship(lazy="joined")


class Street(Base):
    __tablename__ = "streets"
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("cities.id"), index=True)
    city: Mapped[City] = relationship(lazy="joined")  # finding: eager-load-cartesian-or-misapplied: four tables


class Review(Base):
    __tablename__ = "reviews"
    id: Mapped[int] = mapped_column(primary_key=True)
    stars: Mapped[int]
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)
    book: Mapped["Book"] = relationship(back_populates="reviews")


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    reviews: Mapped[list[Review]] = relationship(back_populates="book")


class Page(Base):
    __tablename__ = "pages"
    id: Mapped[int] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id"), index=True)


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    pages: Mapped[list[Page]] = relationship(lazy="joined")


def all_books(session: Session) -> list[Book]:
    statement = select(Book).options(joinedload(Book.reviews))
    return list(session.scalars(statement).all())  # finding: eager-load-cartesian-or-misapplied: it raises


async def one_book(session: AsyncSession, book_id: int) -> Book | None:
    statement = select(Book).where(Book.id == book_id).options(joinedload(Book.reviews))
    result = await session.execute(statement)
    return result.scalar_one_or_none()  # finding: eager-load-cartesian-or-misapplied: it raises


def notes(session: Session) -> list[Note]:
    return list(session.execute(select(Note)).scalars().all())  # finding: eager-load-cartesian-or-misapplied: the mapper joins


def page_of_good_books(session: Session, limit: int) -> list[Book]:
    statement = (
        select(Book)
        .join(Book.reviews)
        .where(Review.stars > 3)
        .options(contains_eager(Book.reviews))
        .limit(limit)  # finding: eager-load-cartesian-or-misapplied: it counts reviews
    )
    return list(session.scalars(statement).unique().all())


def unique_books(session: Session) -> list[Book]:
    statement = select(Book).options(joinedload(Book.reviews))
    return list(session.scalars(statement).unique().all())  # silent: each parent once


async def unique_later(session: AsyncSession) -> list[Book]:
    result = await session.execute(select(Book).options(joinedload(Book.reviews)))
    result = result.unique()
    return list(result.scalars().all())  # silent: said before


def first_book(session: Session) -> Book | None:
    return session.scalars(select(Book).options(joinedload(Book.reviews))).first()  # silent: one row is taken


def queried_books(session: Session) -> list[Book]:
    return session.query(Book).options(joinedload(Book.reviews)).all()  # silent: a query takes repeats out itself


def reviews_with_books(session: Session) -> list[Review]:
    return list(session.scalars(select(Review).options(joinedload(Review.book))).all())  # silent: a single object


def notes_by_themselves(session: Session) -> list[Note]:
    statement = select(Note).options(selectinload(Note.pages))
    return list(session.scalars(statement).all())  # silent: the option overrides the mapper


def page_of_books(session: Session, limit: int) -> list[Book]:
    statement = select(Book).options(joinedload(Book.reviews)).limit(limit)
    return list(session.scalars(statement).unique())  # silent: the limit goes to a statement of its own


def latest_review(session: Session) -> Book | None:
    statement = select(Book).join(Book.reviews).options(contains_eager(Book.reviews)).limit(1)
    return session.scalars(statement).unique().one_or_none()  # silent: one pair is wanted
