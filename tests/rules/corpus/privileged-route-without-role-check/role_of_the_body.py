"""Harmful: the body names an account and its new role, and only the role that is asked for is looked at. Harmless: the caller's own
role is looked at, and a body without roles."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    token: Mapped[str]
    role: Mapped[str]
    city: Mapped[str]


class RoleUpdate(BaseModel):
    username: str
    role: str


class CityUpdate(BaseModel):
    city: str


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


def allowed(required_permissions: list[str]):
    def check(user: CurrentUser) -> User:
        names = {"owner": ["roles.write"], "reader": []}[user.token]
        if not set(required_permissions).issubset(names):
            raise HTTPException(403)
        return user

    return check


app = FastAPI()


def user_named(session: Session, username: str) -> User:
    found = session.scalar(select(User).where(User.username == username))
    if found is None:
        raise HTTPException(404)
    return found


def fill(session: Session, user: User, update: BaseModel) -> None:
    for name, value in vars(update).items():
        setattr(user, name, value)
    session.commit()


@app.put("/roles")
def give(update: RoleUpdate, user: CurrentUser, session: SessionDep) -> str:  # finding: privileged-route-without-role-check
    if update.role == "owner":
        raise HTTPException(403)
    found = user_named(session, update.username)
    for name, value in vars(update).items():
        setattr(found, name, value)
    session.commit()
    return user.username


@app.put("/roles/checked")
def give_checked(update: RoleUpdate, user: CurrentUser, session: SessionDep) -> str:
    if user.role != "owner":
        raise HTTPException(403)
    found = user_named(session, update.username)
    for name, value in vars(update).items():
        setattr(found, name, value)
    session.commit()
    return user.username


@app.put("/roles/permitted")
def give_permitted(
    update: RoleUpdate,
    user: Annotated[User, Depends(allowed(required_permissions=["roles.write"]))],
    session: SessionDep,
) -> str:
    found = user_named(session, update.username)
    for name, value in vars(update).items():
        setattr(found, name, value)
    session.commit()
    return user.username


@app.put("/city")
def move(update: CityUpdate, user: CurrentUser, session: SessionDep) -> None:
    fill(session, user, update)
