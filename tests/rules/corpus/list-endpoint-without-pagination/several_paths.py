"""One handler on several paths is told once; what is on its way out and what another table is about weighs less or nothing."""

from typing import Annotated

from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)


class BookOut(BaseModel):
    id: int


class BookShare(BaseModel):
    address: str


def get_session() -> Session:
    raise NotImplementedError


SessionDep = Annotated[Session, Depends(get_session)]


def remember(session: Session) -> int:
    return len(session.scalars(select(Book)).all())


@app.get("/books/", include_in_schema=False)
@app.get("/books")
def page(
    session: SessionDep,
    limit: Annotated[int, Query(ge=1)] = 20,  # finding: list-endpoint-without-pagination
) -> list[BookOut]:
    return list(session.scalars(select(Book).limit(limit)))


@app.get("/shares")
def shares(session: SessionDep) -> list[BookShare]:
    remember(session)
    return []
