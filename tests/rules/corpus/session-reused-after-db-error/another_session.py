"""What follows the failure uses a session of its own; elsewhere the same one, in the next round of a loop."""

from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("postgresql://db/shop")


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(unique=True)


@app.post("/books")
def add(titles: list[str]) -> None:
    for title in titles:
        with Session(engine) as session:
            try:
                session.add(Book(title=title))
                session.commit()
            except IntegrityError:
                print("known", title)
        with Session(engine) as session:
            try:
                session.add(Book(title=f"{title}, again"))
                session.commit()
            except IntegrityError:
                print("known", title)


@app.post("/shelves")
def add_to_one_session(titles: list[str]) -> None:
    with Session(engine) as session:
        for title in titles:
            try:
                session.add(Book(title=title))
                session.commit()
            except IntegrityError:  # finding: session-reused-after-db-error
                print("known", title)


@app.post("/boxes")
def add_to_an_assigned_session(titles: list[str]) -> None:
    for title in titles:
        session = Session(engine)
        try:
            session.add(Book(title=title))
            session.commit()
        except IntegrityError:
            print("known", title)
