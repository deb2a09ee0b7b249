"""Short codes that are compared as often as somebody asks, and long ones, which nobody can try out."""

import random
import secrets
import string
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

make_session = sessionmaker(create_engine("sqlite://"))
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    password: Mapped[str]
    reset_code: Mapped[str | None]
    verification_code: Mapped[str | None]
    login_code: Mapped[str | None]
    codes_end_at: Mapped[datetime | None]


class Answer(BaseModel):
    email: str
    code: str


def get_session():
    with make_session() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def account_of(session: Session, email: str) -> Account:
    account = session.scalars(select(Account).where(Account.email == email)).one_or_none()
    if account is None:
        raise HTTPException(404)
    return account


@app.post("/reset-requests")
def start_reset(email: str, session: SessionDep) -> None:
    account = account_of(session, email)
    account.reset_code = "".join(str(secrets.randbelow(10)) for _ in range(4))
    account.login_code = "".join(random.choices(string.digits, k=6))
    account.verification_code = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(24))
    session.commit()


@app.post("/resets")
def finish_reset(answer: Answer, password: str, session: SessionDep) -> None:  # finding: login-or-otp-without-throttling
    account = account_of(session, answer.email)
    if account.reset_code != answer.code:
        raise HTTPException(400)
    account.password = password
    session.commit()


@app.post("/verifications")
def verify(answer: Answer, session: SessionDep) -> None:  # silent: the code has 24 characters
    account = account_of(session, answer.email)
    if account.verification_code != answer.code:
        raise HTTPException(400)


@app.get("/reset-requests")
def is_asked(email: str, session: SessionDep) -> bool:  # silent: nothing that was sent is compared
    return account_of(session, email).reset_code is not None
