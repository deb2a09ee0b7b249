"""The password is a setting's default, hashed in a variable; the role is an enum's member."""

import enum

from fastapi import FastAPI
from passlib.context import CryptContext
from pydantic_settings import BaseSettings
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

crypt = CryptContext(schemes=["bcrypt"])


class Role(enum.Enum):
    ADMIN = "admin"
    READER = "reader"


class Settings(BaseSettings):
    first_password: str = "Harbour-7"


class Base(DeclarativeBase): ...


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    password_hash: Mapped[str]
    role: Mapped[Role]


settings = Settings()
app = FastAPI()


def seed(session: Session) -> None:
    hashed = crypt.hash(settings.first_password)
    session.add(Member(password_hash=hashed, role=Role.ADMIN))  # finding: default-admin-account-seeded
    session.add(Member(password_hash=crypt.hash("reader"), role=Role.READER))
