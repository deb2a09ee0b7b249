"""The code is in a field of the answer, made in a service; and a column keeps codes without a time."""

import secrets

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase): ...


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    reset_token: Mapped[str | None]  # finding: reset-or-verify-token-lifecycle


class Started(BaseModel):
    token: str


app = FastAPI()


def start(email: str) -> Started:
    token = secrets.token_hex(16)
    print("keep", email)
    return Started(token=token)


@app.post("/forgot-password")
def forgot_password(email: str) -> Started:  # finding: reset-or-verify-token-lifecycle
    return start(email)
