"""Opened by hand: closed always, closed only when nothing fails, never, and by somebody else."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import Connection, create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session, sessionmaker

app = FastAPI()
engine = create_engine("postgresql+psycopg://localhost/shop")
make_session = sessionmaker(engine)
registry = scoped_session(make_session)


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


class Books:
    def __init__(self, session: Session) -> None:
        self.session = session

    def count(self) -> int:
        return len(self.session.scalars(select(Book.id)).all())


def close_quietly(session: Session) -> None:
    try:
        session.close()
    except OSError:
        pass


def get_session() -> Iterator[Session]:
    session = make_session()
    try:
        yield session
    finally:
        session.close()


def without_finally() -> Iterator[Session]:
    session = make_session()  # finding: session-or-connection-leak
    yield session
    session.close()


def by_a_helper() -> Iterator[Session]:
    session = make_session()
    try:
        yield session
    finally:
        close_quietly(session)


def returned() -> Session:
    return make_session()  # finding: session-or-connection-leak


def for_others() -> Session:
    session = make_session()
    session.execute(text("SET search_path TO shop"))
    return session


def repository() -> Books:
    session = make_session()
    return Books(session)


@app.get("/well")
def well(
    a: Annotated[Session, Depends(get_session)],
    b: Annotated[Session, Depends(by_a_helper)],
    books: Annotated[Books, Depends(repository)],
) -> int:
    return books.count()


@app.get("/without-finally")
def reads_without_finally(session: Annotated[Session, Depends(without_finally)]) -> int:
    return Books(session).count()


@app.get("/returned")
def reads_returned(session: Annotated[Session, Depends(returned)]) -> int:
    return Books(session).count()


@app.get("/by-hand")
def by_hand() -> int:
    session = next(get_session())  # finding: session-or-connection-leak
    return Books(session).count()


@app.get("/by-hand-closed")
def by_hand_and_closed() -> int:
    session = next(get_session())
    try:
        return Books(session).count()
    finally:
        session.close()


@app.get("/connection")
def connection() -> int:
    connection: Connection = engine.connect()  # finding: session-or-connection-leak
    return connection.scalar(text("SELECT count(*) FROM books")) or 0


@app.get("/managed")
def managed() -> int:
    connection = engine.connect()
    with connection:
        connection.execute(text("SELECT 1"))
    with closing(make_session()) as session, ExitStack() as stack:
        other = make_session()
        stack.callback(other.close)
        third = stack.enter_context(make_session())
        return Books(session).count() + Books(other).count() + Books(third).count()


@app.get("/registry")
def of_a_registry() -> int:
    session = registry()
    return Books(session).count()


@app.get("/for-others")
def with_a_session_of_another() -> int:
    session = for_others()
    with session:
        return Books(session).count()


def script() -> None:
    session = make_session()
    session.execute(text("SELECT 1"))
