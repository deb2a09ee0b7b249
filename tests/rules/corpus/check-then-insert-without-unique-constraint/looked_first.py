"""Looking before inserting: in one body, through repositories, with a constraint, with a lock, and for something else."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import Index, UniqueConstraint, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("postgresql+psycopg://localhost/shop")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]


class Author(Base):
    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Review(Base):
    __tablename__ = "reviews"
    __table_args__ = (UniqueConstraint("book_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int]
    user_id: Mapped[int]


class Tag(Base):
    __tablename__ = "tags"
    __table_args__ = (Index("uq_tags_name", func.lower("name"), unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Wish(Base):
    __tablename__ = "wishes"

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int]
    user_id: Mapped[int]


class UserIn(BaseModel):
    email: str
    name: str


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def find_by_email(session: Session, email: str) -> User | None:
    result = session.execute(select(User).where(User.email == email))
    return result.scalar_one_or_none()


def create_user(session: Session, given: UserIn) -> User:
    user = User(**given.model_dump())
    session.add(user)
    session.commit()
    return user


@app.post("/users")
def register(given: UserIn, session: SessionDep) -> int:
    if find_by_email(session, given.email):  # finding: check-then-insert-without-unique-constraint
        raise HTTPException(409, "taken")
    return create_user(session, given).id


@app.post("/wishes")
def wish(book_id: int, user_id: int, session: SessionDep) -> int:
    found = session.scalars(select(Wish).where(Wish.book_id == book_id, Wish.user_id == user_id)).first()
    if found is None:  # finding: check-then-insert-without-unique-constraint
        found = Wish(book_id=book_id, user_id=user_id)
        session.add(found)
        session.commit()
    return found.id


@app.post("/authors")
def add_author(name: str, session: SessionDep) -> None:
    if session.scalar(select(Author).where(Author.name == name)):
        raise HTTPException(409, "taken")
    session.add(Author(name=name))
    session.commit()


@app.post("/reviews")
def add_review(book_id: int, user_id: int, session: SessionDep) -> None:
    if session.scalar(select(Review).where(Review.book_id == book_id, Review.user_id == user_id)):
        raise HTTPException(409, "once")
    session.add(Review(book_id=book_id, user_id=user_id))
    session.commit()


@app.post("/tags")
def add_tag(name: str, session: SessionDep) -> None:
    if session.scalar(select(Tag).where(Tag.name == name)):
        raise HTTPException(409, "taken")
    session.add(Tag(name=name))
    session.commit()


@app.post("/wishes/locked")
def wish_under_a_lock(book_id: int, user_id: int, session: SessionDep) -> None:
    session.execute(select(func.pg_advisory_xact_lock(user_id)))
    if session.scalar(select(Wish).where(Wish.book_id == book_id, Wish.user_id == user_id)):
        raise HTTPException(409, "once")
    session.add(Wish(book_id=book_id, user_id=user_id))
    session.commit()


@app.post("/wishes/of-a-user")
def another_table_is_asked(book_id: int, user_id: int, session: SessionDep) -> None:
    user = session.scalar(select(User).where(User.id == user_id))
    if user is None:
        raise HTTPException(404, "no such user")
    session.add(Wish(book_id=book_id, user_id=user_id))
    session.commit()


@app.post("/wishes/few")
def limited(book_id: int, user_id: int, session: SessionDep) -> None:
    count = session.scalar(select(func.count()).select_from(Wish).where(Wish.user_id == user_id)) or 0
    if count >= 10:
        raise HTTPException(409, "enough")
    session.add(Wish(book_id=book_id, user_id=user_id))
    session.commit()


@app.post("/wishes/copy")
def must_exist(book_id: int, user_id: int, session: SessionDep) -> None:
    model = session.scalar(select(Wish).where(Wish.book_id == book_id))
    if model is None:
        raise HTTPException(404, "nothing to copy")
    session.add(Wish(book_id=model.book_id, user_id=user_id))
    session.commit()
