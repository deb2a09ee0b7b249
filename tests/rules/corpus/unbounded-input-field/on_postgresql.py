"""Fields and the columns that they fill, on a database that refuses what is too long."""

from typing import Annotated, Literal

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, EmailStr, Field, field_validator
from sqlalchemy import BigInteger, ForeignKey, String, Text, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("postgresql+psycopg://shop@db/shop")
app = FastAPI()


class Base(DeclarativeBase): ...


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    pages: Mapped[int]
    sold: Mapped[int] = mapped_column(BigInteger)
    summary: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10))
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    contact: Mapped[str] = mapped_column(String(320))
    shelf: Mapped[str] = mapped_column(String(5))
    blurb: Mapped[str] = mapped_column(String(100))


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    nickname: Mapped[str] = mapped_column(String(20))


class NewBook(BaseModel):
    title: str  # finding: unbounded-input-field
    pages: int  # in the same finding
    sold: int = Field(ge=0)
    summary: str  # silent: the column holds any text
    status: str  # silent: a choice
    author_id: int  # silent: looked up
    contact: EmailStr  # silent: a type with a length of its own
    shelf: Literal["a", "b"]  # silent: a list


class Limited(BaseModel):
    title: str = Field(max_length=200)
    pages: Annotated[int, Field(le=5000)]


class TooWide(BaseModel):
    title: str = Field(max_length=500)  # finding: unbounded-input-field


class Validated(BaseModel):
    blurb: str

    @field_validator("blurb")
    @classmethod
    def short(cls, blurb: str) -> str:
        return blurb[:100]


class NewAuthor(BaseModel):
    name: str  # finding: unbounded-input-field
    nickname: str  # silent: measured in the service


class Cut(BaseModel):
    title: str


class Guarded(BaseModel):
    title: str


def get_session():
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


class AuthorService:
    def __init__(self, session: Session) -> None:
        self.session = session

    def create(self, author: NewAuthor) -> Author:
        if len(author.nickname) > 20:
            raise HTTPException(422)
        row = Author(name=author.name, nickname=author.nickname)
        self.session.add(row)
        self.session.commit()
        return row


@app.post("/books")
def add_book(book: NewBook, session: SessionDep) -> None:
    session.add(Book(**book.model_dump()))
    session.commit()


@app.post("/books/limited")
def add_limited(book: Limited, session: SessionDep) -> None:
    session.add(Book(title=book.title, pages=book.pages))
    session.commit()


@app.post("/books/wide")
def add_wide(book: TooWide, session: SessionDep) -> None:
    session.add(Book(title=book.title))
    session.commit()


@app.post("/books/validated")
def add_validated(book: Validated, session: SessionDep) -> None:
    session.add(Book(blurb=book.blurb))
    session.commit()


@app.post("/authors")
def add_author(author: NewAuthor, session: SessionDep) -> None:
    AuthorService(session).create(author)


@app.post("/books/cut")
def add_cut(book: Cut, session: SessionDep) -> None:
    session.add(Book(title=book.title[:200]))
    session.commit()


@app.post("/books/guarded")
def add_guarded(book: Guarded, session: SessionDep) -> None:
    try:
        session.add(Book(title=book.title))
        session.commit()
    except SQLAlchemyError:
        raise HTTPException(422) from None
