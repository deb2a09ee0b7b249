"""Options that are handed over are read where they are written; another query's options load nothing here."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload
from sqlalchemy.orm.interfaces import ORMOption

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship()


class AuthorOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str


class BookOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    author: AuthorOut


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def find(session: Session, *options: ORMOption) -> list[Book]:
    return list(session.scalars(select(Book).options(*options).limit(50)))


@app.get("/loaded", response_model=list[BookOut])
def loaded(session: SessionDep) -> list[Book]:
    return find(session, selectinload(Book.author))


@app.get("/lazy", response_model=list[BookOut])
def lazy(session: SessionDep) -> list[Book]:  # finding: n-plus-one-through-response-model
    return find(session)


@app.get("/first-of-all", response_model=list[BookOut])
def with_another_query(session: SessionDep) -> list[Book]:  # finding: n-plus-one-through-response-model
    session.scalars(select(Book).options(selectinload(Book.author)).limit(1)).first()
    return list(session.scalars(select(Book)))
