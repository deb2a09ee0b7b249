"""What a handler does with a session whose flush has failed."""

from fastapi import FastAPI, HTTPException
from sqlalchemy import create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Tag(Base):
    __tablename__ = "tags"

    name: Mapped[str] = mapped_column(primary_key=True)


def all_tags(session: Session) -> list[str]:
    return list(session.scalars(select(Tag.name).limit(10)))


@app.post("/tags")
def next_round(names: list[str]) -> list[str]:
    with Session(engine) as session:
        for name in names:
            try:
                session.add(Tag(name=name))
                session.flush()
            except IntegrityError:  # finding: session-reused-after-db-error
                continue
        session.commit()
        return all_tags(session)


@app.post("/tags/savepoints")
def savepoints(names: list[str]) -> None:
    with Session(engine) as session:
        for name in names:
            try:
                with session.begin_nested():
                    session.add(Tag(name=name))
                    session.flush()
            except IntegrityError:
                continue
        session.commit()


@app.post("/tags/raise")
def raises(name: str) -> list[str]:
    with Session(engine) as session:
        session.add(Tag(name=name))
        try:
            session.commit()
        except IntegrityError as exc:
            raise HTTPException(409, "known") from exc
        return list(session.scalars(select(Tag.name).limit(10)))


@app.post("/tags/own")
def a_session_for_each(names: list[str]) -> None:
    for name in names:
        try:
            with Session(engine) as session:
                session.add(Tag(name=name))
                session.commit()
        except IntegrityError:
            continue


@app.post("/tags/back")
def rolled_back(names: list[str]) -> None:
    with Session(engine) as session:
        for name in names:
            session.add(Tag(name=name))
            try:
                session.commit()
            except IntegrityError:
                session.rollback()
