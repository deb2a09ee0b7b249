"""The dependency, a context manager, a decorator, a unit of work or the caller commits."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, delete, insert
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


def committing_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session
        session.commit()


def session_in_transaction() -> Iterator[Session]:
    with make_session.begin() as session:
        yield session


def plain_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


Plain = Annotated[Session, Depends(plain_session)]


@app.post("/by-dependency")
def by_dependency(title: str, session: Annotated[Session, Depends(committing_session)]) -> None:
    session.add(Book(title=title))


@app.post("/by-begin")
def by_begin(title: str, session: Annotated[Session, Depends(session_in_transaction)]) -> None:
    session.add(Book(title=title))


@app.post("/by-context-manager")
def by_context_manager(title: str) -> None:
    with make_session.begin() as session:
        session.add(Book(title=title))
    with engine.begin() as connection:
        connection.execute(insert(Book).values(title=title))
    with Session(engine) as session, session.begin():
        session.add(Book(title=title))


@contextmanager
def work() -> Iterator[Session]:
    session = make_session()
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()


@app.post("/by-our-context-manager")
def by_our_context_manager(title: str) -> None:
    with work() as session:
        session.add(Book(title=title))


class UnitOfWork:
    def __enter__(self) -> "UnitOfWork":
        self.session = make_session()
        return self

    def __exit__(self, *_: object) -> None:
        self.session.commit()
        self.session.close()


@app.post("/by-unit-of-work")
def by_unit_of_work(title: str) -> None:
    with UnitOfWork() as uow:
        uow.session.add(Book(title=title))


def transactional(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(session: Session, *args: Any) -> Any:
        answer = function(session, *args)
        session.commit()
        return answer

    return run


@transactional
def store(session: Session, title: str) -> None:
    session.add(Book(title=title))


@app.post("/by-decorator")
def by_decorator(title: str, session: Plain) -> None:
    store(session, title)


class Books:
    """Only flushes: its callers know when the work is done."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, book: Book) -> Book:
        self.session.add(book)
        self.session.flush()
        return book

    def remove(self, book_id: int) -> None:
        self.session.execute(delete(Book).where(Book.id == book_id))


@app.post("/by-the-caller")
def by_the_caller(title: str, session: Plain) -> int:
    book = Books(session).add(Book(title=title))
    session.commit()
    return book.id


@app.delete("/when-asked/{book_id}")
def when_asked(book_id: int, session: Plain, dry_run: bool = False) -> None:
    Books(session).remove(book_id)
    if dry_run:
        session.rollback()
    else:
        session.commit()
