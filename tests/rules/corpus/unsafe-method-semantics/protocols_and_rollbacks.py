"""The callback of a sign-in has to store, and what is never committed changes nothing."""

from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)


def add_account() -> None:
    with Session(engine) as session:
        session.add(Account())
        session.commit()


@app.get("/oauth/callback")
def oauth_callback(code: str) -> str:
    add_account()
    return code


@app.get("/accounts/preview")
def preview() -> str:
    with Session(engine) as session:
        session.add(Account())
        session.rollback()
    return "preview"
