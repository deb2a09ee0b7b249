"""Keys that objects of the program keep, one by one or several; digests, columns in a query and other values are silent."""

import hashlib
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
bearer = OAuth2PasswordBearer("/token")
engine = create_engine("sqlite://")


@dataclass
class User:
    name: str
    api_key_digest: str
    feed_token: str
    cache_key: str
    api_keys: list[str] = field(default_factory=list)


class Base(DeclarativeBase):
    pass


class Device(Base):
    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(primary_key=True)
    access_token: Mapped[str]


USERS: list[User] = []


def user_of(api_key: str) -> User | None:
    for user in USERS:
        for known in user.api_keys:
            if api_key == known:  # finding: timing-unsafe-secret-comparison
                return user
    return None


def is_known(key: str) -> bool:
    return any(key == known for user in USERS for known in user.api_keys)  # finding: timing-unsafe-secret-comparison


def by_digest(api_key: str) -> User | None:
    digest = hashlib.sha256(api_key.encode()).hexdigest()
    return next((user for user in USERS if user.api_key_digest == digest), None)  # silent: digests of both sides


@app.get("/feed")
def feed(token: str, key: str) -> list[str]:
    user = USERS[0]
    if user.feed_token != token:  # finding: timing-unsafe-secret-comparison
        raise HTTPException(401)
    return [] if user.cache_key == key else ["changed"]  # silent: no secret


@app.get("/devices")
def devices(token: str) -> object:
    with Session(engine) as session:
        return session.scalars(select(Device).where(Device.access_token == token)).first()  # silent: the database compares


@app.get("/account")
def account(x_api_key: Annotated[str, Header()]) -> str:
    user = user_of(x_api_key)
    if user is None or not is_known(x_api_key) or by_digest(x_api_key):
        raise HTTPException(401)
    return user.name


class Gate:
    """A dependency that nobody uses where it can be seen."""

    def __init__(self, tokens: list[str]) -> None:
        self.access_tokens = tokens

    def __call__(self, token: Annotated[str, Depends(bearer)]) -> None:
        for known in self.access_tokens:
            if known == token:  # finding: timing-unsafe-secret-comparison
                return
        raise HTTPException(401)


def unused(token: str, user: User) -> bool:
    return user.feed_token == token  # silent: no request gets here


class Lease:
    def __init__(self) -> None:
        self.current_token = 0

    def release(self, token: int) -> bool:
        return token == self.current_token  # silent: a number


lease = Lease()


@app.delete("/leases/{token}")
def release(token: int) -> bool:
    return lease.release(token)
