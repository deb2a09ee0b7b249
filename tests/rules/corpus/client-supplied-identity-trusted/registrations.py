"""A registration makes the account and a first row of its own; a later request makes a row for somebody it names."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "users"
    email: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str]


class Shelf(Base):
    __tablename__ = "shelves"
    id: Mapped[int] = mapped_column(primary_key=True)
    created_by: Mapped[str] = mapped_column(ForeignKey("users.email"))
    name: Mapped[str]


class Registration(BaseModel):
    email: str
    token: str


class NewShelf(BaseModel):
    created_by: str
    name: str


def get_session():
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def current_user(token: Annotated[str, Depends(OAuth2PasswordBearer("token"))], session: SessionDep) -> User:
    user = session.scalar(select(User).where(User.token == token))
    if user is None:
        raise HTTPException(401)
    return user


app = FastAPI()


@app.post("/register")
def register(data: Registration, session: SessionDep) -> None:
    session.add(User(email=data.email, token=data.token))
    session.add(Shelf(created_by=data.email, name="Mine"))
    session.commit()


@app.post("/shelves")
def add_shelf(data: NewShelf, user: Annotated[User, Depends(current_user)], session: SessionDep) -> None:
    session.add(Shelf(created_by=data.created_by, name=data.name))  # finding: client-supplied-identity-trusted
    session.commit()
