"""Harmful: the profile that is changed is the one that the body names, and the caller is not asked about. Harmless: the two are
compared, the caller's own row is filled, and an old password proves whose account it is."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from passlib.context import CryptContext
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")
passwords = CryptContext(schemes=["bcrypt"])


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    token: Mapped[str]
    password: Mapped[str]
    city: Mapped[str]


class Profile(BaseModel):
    username: str
    city: str


class Proven(Profile):
    old_password: str


def get_session():
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def user_named(session: Session, username: str) -> User | None:
    return session.scalar(select(User).where(User.username == username))


def current_user(token: Annotated[str, Depends(OAuth2PasswordBearer("token"))], session: SessionDep) -> User:
    user = session.scalar(select(User).where(User.token == token))
    if user is None:
        raise HTTPException(401)
    return user


CurrentUser = Annotated[User, Depends(current_user)]
app = FastAPI()


@app.put("/profile")
def change(profile: Profile, user: CurrentUser, session: SessionDep) -> str:
    found = user_named(session, profile.username)  # finding: idor-object-fetched-without-owner-scope
    for name, value in profile.model_dump().items():
        setattr(found, name, value)
    session.commit()
    return "changed"


@app.put("/profile/compared")
def change_compared(profile: Profile, user: CurrentUser, session: SessionDep) -> str:
    if profile.username != user.username:
        raise HTTPException(403)
    found = user_named(session, profile.username)
    for name, value in profile.model_dump().items():
        setattr(found, name, value)
    session.commit()
    return "changed"


@app.put("/profile/own")
def change_own(profile: Profile, user: CurrentUser, session: SessionDep) -> str:
    for name, value in profile.model_dump().items():
        setattr(user, name, value)
    session.commit()
    return "changed"


@app.put("/profile/proven")
def change_proven(profile: Proven, user: CurrentUser, session: SessionDep) -> str:
    found = user_named(session, profile.username)
    if found is None or not passwords.verify(profile.old_password, found.password):
        raise HTTPException(403)
    for name, value in profile.model_dump(exclude={"old_password"}).items():
        setattr(found, name, value)
    session.commit()
    return "changed"
