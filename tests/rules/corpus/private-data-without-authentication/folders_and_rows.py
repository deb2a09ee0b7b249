"""Harmful: a stranger looks through the server's folders, and reads everybody's payments. Harmless: a folder that is tested to lie
within another, one that the code names, what everybody may see, a row that a link names, and routes that ask who is calling."""

import os
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")
MODELS = Path("models").resolve()


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]


class Payment(Base):
    __tablename__ = "payments"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    link: Mapped[str]
    amount: Mapped[int]


class Photo(Base):
    __tablename__ = "photos"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


def get_session():
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def current_user(token: Annotated[str, Depends(OAuth2PasswordBearer("token"))], session: SessionDep) -> User:
    user = session.scalar(select(User).where(User.token == token))
    if user is None:
        raise HTTPException(401)
    return user


CurrentUser = Annotated[User, Depends(current_user)]
app = FastAPI()


@app.get("/me")
def me(user: CurrentUser) -> int:
    return user.id


@app.get("/me/payments")
def own_payments(user: CurrentUser, session: SessionDep):
    return session.scalars(select(Payment).where(Payment.user_id == user.id)).all()


@app.get("/me/photos")
def own_photos(user: CurrentUser, session: SessionDep):
    return session.scalars(select(Photo).where(Photo.user_id == user.id)).all()


@app.get("/me/folders", dependencies=[Depends(current_user)])
def scan_signed_in(folder: str) -> list[str]:
    return os.listdir(folder)


@app.put("/me/city", dependencies=[Depends(current_user)])
def move(city: str) -> str:
    return city


@app.delete("/me", dependencies=[Depends(current_user)])
def leave() -> None: ...


@app.post("/me/photos", dependencies=[Depends(current_user)])
def add_photo() -> None: ...


@app.get("/scan")
def scan(folder: str) -> list[str]:  # finding: private-data-without-authentication
    path = Path(folder)
    if not path.is_dir():
        raise HTTPException(400, "no such folder")
    return [each.name for each in path.iterdir()]


@app.get("/scan/within")
def scan_within(folder: str) -> list[str]:
    path = (MODELS / folder).resolve()
    if not path.is_relative_to(MODELS):
        raise HTTPException(400, "no such folder")
    return [each.name for each in path.iterdir()]


@app.get("/models")
def models() -> list[str]:
    return os.listdir(MODELS)


@app.get("/payments")
def payments(session: SessionDep):  # finding: private-data-without-authentication
    return session.scalars(select(Payment).order_by(Payment.id)).all()


@app.get("/payments/{link}")
def payment_of_link(link: str, session: SessionDep):
    return session.scalar(select(Payment).where(Payment.link == link))


@app.get("/photos")
def gallery(session: SessionDep):
    return session.scalars(select(Photo).order_by(Photo.id)).all()
