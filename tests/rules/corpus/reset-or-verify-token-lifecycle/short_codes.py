"""Codes of a few digits, with and without a limit on attempts where they are compared."""

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


def limit_attempts(request: Request) -> None:
    """Counts requests of an address."""


@app.post("/requests")
def start(email: str, session: SessionDep) -> None:
    account = account_of(session, email)
    account.reset_code = f"{random.randint(100000, 999999)}"  # finding: reset-or-verify-token-lifecycle
    account.verification_code = str(secrets.randbelow(10**6)).zfill(6)  # silent: attempts are limited
    account.login_code = secrets.token_urlsafe(16)
    account.codes_end_at = datetime.now(UTC) + timedelta(minutes=15)
    session.commit()


@app.post("/resets")
def finish_reset(answer: Answer, password: str, session: SessionDep) -> None:
    account = account_of(session, answer.email)
    if account.reset_code != answer.code:
        raise HTTPException(400)
    account.password = password
    session.commit()


@app.post("/verifications", dependencies=[Depends(limit_attempts)])
def verify(answer: Answer, session: SessionDep) -> None:
    account = account_of(session, answer.email)
    if account.verification_code != answer.code:
        raise HTTPException(400)


@app.post("/logins")
def log_in(answer: Answer, session: SessionDep) -> None:
    account = account_of(session, answer.email)
    if account.login_code != answer.code:
        raise HTTPException(400)
