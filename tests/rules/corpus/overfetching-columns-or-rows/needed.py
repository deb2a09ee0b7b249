"""The long column is read, or left in the database, or the rows go where nobody can follow."""

from collections.abc import Sequence

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import LargeBinary, Text, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, defer, deferred, load_only, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    full_text: Mapped[str] = mapped_column(Text)

    @property
    def excerpt(self) -> str:
        return self.full_text[:80]

    def shorten(self) -> str:
        return self.full_text[:80]


class Photo(Base):
    __tablename__ = "photos"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    exif: Mapped[str] = deferred(mapped_column(Text))


class BookOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    title: str


class LongBookOut(BookOut):
    full_text: str


class AliasOut(BookOut):
    body: str = Field(alias="full_text")


class ExcerptOut(BookOut):
    excerpt: str


class WholeOut(BookOut):
    length: int

    @model_validator(mode="before")
    @classmethod
    def measure(cls, book: Book) -> dict[str, object]:
        return {"id": book.id, "title": book.title, "length": len(book.full_text)}


class OpenOut(BookOut):
    model_config = ConfigDict(from_attributes=True, extra="allow")


class PhotoOut(BaseModel):
    id: int
    name: str


def all_books(session: Session) -> Sequence[Book]:
    return session.scalars(select(Book)).all()


@app.get("/long", response_model=list[LongBookOut])
@app.get("/alias", response_model=list[AliasOut])
@app.get("/excerpt", response_model=list[ExcerptOut])
@app.get("/whole", response_model=list[WholeOut])
@app.get("/open", response_model=list[OpenOut])
def read() -> Sequence[Book]:
    with Session(engine) as session:
        return session.scalars(select(Book)).all()


@app.get("/alias-alone", response_model=list[AliasOut])
def read_alias() -> Sequence[Book]:
    with Session(engine) as session:
        return session.scalars(select(Book)).all()


@app.get("/whole-alone", response_model=list[WholeOut])
def read_whole() -> Sequence[Book]:
    with Session(engine) as session:
        return session.scalars(select(Book)).all()


@app.get("/excerpt-alone", response_model=list[ExcerptOut])
def read_excerpt() -> Sequence[Book]:
    with Session(engine) as session:
        return session.scalars(select(Book)).all()


@app.get("/open-alone", response_model=list[OpenOut])
def read_open() -> Sequence[Book]:
    with Session(engine) as session:
        return session.scalars(select(Book)).all()


@app.get("/photos", response_model=list[PhotoOut])
def photos() -> Sequence[Photo]:
    with Session(engine) as session:
        return session.scalars(select(Photo)).all()


@app.get("/only", response_model=list[BookOut])
def only() -> Sequence[Book]:
    with Session(engine) as session:
        return session.scalars(select(Book).options(load_only(Book.id, Book.title))).all()


@app.get("/deferred", response_model=list[BookOut])
def left_out() -> Sequence[Book]:
    summary = defer(Book.full_text)
    with Session(engine) as session:
        return session.scalars(select(Book).options(summary)).all()


@app.get("/columns")
def columns() -> list[int]:
    with Session(engine) as session:
        return [row.id for row in session.execute(select(Book.id))]


@app.get("/helper", response_model=list[BookOut])
def helper() -> Sequence[Book]:
    with Session(engine) as session:
        return all_books(session)


@app.get("/search")
def search(term: str) -> list[int]:
    with Session(engine) as session:
        return [book.id for book in all_books(session) if term in book.full_text]


@app.get("/one", response_model=BookOut)
def one(book_id: int) -> Book:
    with Session(engine) as session:
        return session.scalars(select(Book).where(Book.id == book_id)).one()
