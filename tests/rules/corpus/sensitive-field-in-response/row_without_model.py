"""A row is returned as it is, and nested in a list of a page elsewhere."""

from typing import Annotated, Generic, TypeVar

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

T = TypeVar("T")
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    password_hash: Mapped[str]


class Owner(BaseModel):
    id: int
    password_hash: str


class Page(BaseModel, Generic[T]):
    items: list[T]


def session():
    with Session(engine) as opened:
        yield opened


app = FastAPI()


@app.get("/users/{user_id}")
def read_user(user_id: int, db: Annotated[Session, Depends(session)]):  # finding: sensitive-field-in-response
    return db.get(User, user_id)


@app.get("/users")
def list_users(db: Annotated[Session, Depends(session)]) -> Page[Owner]:  # finding: sensitive-field-in-response
    return Page[Owner](items=[])
