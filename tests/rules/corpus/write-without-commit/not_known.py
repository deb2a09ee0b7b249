"""The session goes to something that is not known, or comes from there; an engine commits by itself."""

from typing import Annotated, Any

import company_audit
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


def finish(thing: Any, session: Session) -> None:
    thing.finish(session)


@app.post("/handed-on")
def handed_on(title: str) -> None:
    with Session(engine) as session:
        session.add(Book(title=title))
        finish(company_audit, session)


@app.post("/from-elsewhere")
def from_elsewhere(title: str) -> None:
    with company_audit.session_scope() as session:
        session.add(Book(title=title))
