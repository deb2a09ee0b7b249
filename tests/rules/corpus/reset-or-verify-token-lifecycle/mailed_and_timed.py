"""The code goes by mail, and the row says when it ends."""

import datetime
import secrets

from fastapi import BackgroundTasks, FastAPI
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase): ...


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    reset_token: Mapped[str | None]
    reset_expires: Mapped[datetime.datetime | None]


class ResetToken(Base):
    __tablename__ = "reset_tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    reset_code: Mapped[str]
    created_at: Mapped[datetime.datetime]


app = FastAPI()


def mail(email: str, token: str) -> None:
    print(email, token)


@app.post("/forgot-password")
def forgot_password(email: str, tasks: BackgroundTasks) -> dict[str, str]:
    token = secrets.token_hex(16)
    tasks.add_task(mail, email, token)
    return {"detail": "sent"}
