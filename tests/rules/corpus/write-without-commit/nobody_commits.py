"""Through a repository, with a session of its own, after the commit, and in a dependency that only closes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, insert, select, text, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

app = FastAPI()
engine = create_engine("sqlite://")
make_session = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    seen: Mapped[int]


@contextmanager
def session_scope() -> Iterator[Session]:
    session = make_session()
    try:
        yield session
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()


def get_session() -> Iterator[Session]:
    with session_scope() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


class Books:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, book: Book) -> Book:
        self.session.add(book)
        self.session.flush()
        return book

    def rename(self, book_id: int, title: str) -> None:
        statement = update(Book).where(Book.id == book_id).values(title=title)
        self.session.execute(statement)  # finding: write-without-commit


@app.post("/books")
def add_book(title: str, session: SessionDep) -> int:
    book = Books(session).add(Book(title=title, seen=0))
    session.commit()
    return book.id


@app.put("/books/{book_id}")
def rename_book(book_id: int, title: str, session: SessionDep) -> None:
    Books(session).rename(book_id, title)


@app.post("/of-its-own")
def with_a_session_of_its_own(title: str) -> None:
    with session_scope() as session:
        session.add(Book(title=title, seen=0))  # finding: write-without-commit
        session.flush()


@app.post("/after-the-commit")
def after_the_commit(title: str, session: SessionDep) -> None:
    session.add(Book(title=title, seen=0))
    session.commit()
    session.execute(text("UPDATE books SET seen = seen + 1"))  # finding: write-without-commit


@app.post("/on-a-connection")
def on_a_connection(title: str) -> None:
    with engine.connect() as connection:
        connection.execute(insert(Book).values(title=title, seen=0))  # finding: write-without-commit


@app.get("/read-again/{book_id}")
def read_again(book_id: int, session: SessionDep) -> int:
    book = session.get(Book, book_id)
    session.add(book)
    return session.scalar(select(Book.seen).where(Book.id == book_id)) or 0


@app.post("/undone")
def undone(title: str, session: SessionDep) -> None:
    session.add(Book(title=title, seen=0))
    session.flush()
    session.rollback()
