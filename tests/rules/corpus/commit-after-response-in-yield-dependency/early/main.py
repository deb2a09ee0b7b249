"""Who relies on the dependency's commit, and which dependency ends before the response."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

app = FastAPI()
engine = create_engine("postgresql+psycopg://localhost/shop")
make_session = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    isbn: Mapped[str] = mapped_column(primary_key=True)


def relied_on() -> Iterator[Session]:
    session = make_session()
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()


def in_a_block() -> Iterator[Session]:
    with make_session.begin() as session:
        yield session


def in_the_function() -> Iterator[Session]:
    with Session(engine) as session:
        yield session
        session.commit()


def only_read() -> Iterator[Session]:
    with Session(engine) as session:
        yield session
        session.commit()


def committed_before() -> Iterator[Session]:
    with Session(engine) as session:
        yield session
        session.commit()


def store(session: Session, isbn: str) -> None:
    session.add(Book(isbn=isbn))


@app.post("/relied-on")
def relies(isbn: str, session: Annotated[Session, Depends(relied_on)]) -> None:
    store(session, isbn)


@app.post("/block")
def in_block(isbn: str, session: Annotated[Session, Depends(in_a_block)]) -> None:
    store(session, isbn)


@app.post("/function")
def of_function(isbn: str, session: Annotated[Session, Depends(in_the_function)]) -> None:
    store(session, isbn)


@app.get("/read")
def reads(session: Annotated[Session, Depends(only_read)]) -> list[str]:
    return list(session.scalars(select(Book.isbn).limit(10)))


@app.post("/before")
def commits_itself(isbn: str, session: Annotated[Session, Depends(committed_before)]) -> None:
    store(session, isbn)
    session.commit()
