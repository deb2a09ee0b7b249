"""A password hash, a digest in front of one, a column that hashes, and the question to a service about breaches."""

import hashlib

import bcrypt
import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, validates

hasher = PasswordHasher()


class Base(DeclarativeBase): ...


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    password: Mapped[str]

    @validates("password")
    def _hash(self, key: str, value: str) -> str:
        return hasher.hash(value)


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    hashed_password: Mapped[str]


class SignUp(BaseModel):
    password: str


app = FastAPI()
session = Session()


@app.post("/members")
def sign_up(new: SignUp) -> None:
    session.add(Member(password=new.password))
    session.add(Account(hashed_password=hasher.hash(new.password)))


def long_password(password: str) -> bytes:
    return bcrypt.hashpw(hashlib.sha256(password.encode()).digest(), bcrypt.gensalt())


def is_known(password: str) -> bool:
    digest = hashlib.sha1(password.encode()).hexdigest().upper()
    return digest[5:] in httpx.get(f"https://api.pwnedpasswords.com/range/{digest[:5]}", timeout=5).text
