"""Harmful: dishes are made and changed by the staff, and deleted by whoever is signed in. Harmless: what everybody may do with a dish,
and rows that are everybody's own."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]
    role: Mapped[str]


class Dish(Base):
    __tablename__ = "dishes"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Vote(Base):
    __tablename__ = "votes"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    dish_id: Mapped[int] = mapped_column(ForeignKey("dishes.id"))


class DishIn(BaseModel):
    name: str


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


class RoleChecker:
    def __init__(self, roles: list[str]) -> None:
        self.roles = roles

    def __call__(self, user: CurrentUser) -> bool:
        if user.role not in self.roles:
            raise HTTPException(403)
        return True


creating, changing, deleting, voting = APIRouter(), APIRouter(), APIRouter(), APIRouter()


@creating.post("/dishes", dependencies=[Depends(RoleChecker(["chef"]))])
def create(dish: DishIn, session: SessionDep) -> None:
    session.add(Dish(name=dish.name))
    session.commit()


@changing.put("/dishes/{dish_id}", dependencies=[Depends(RoleChecker(["chef"]))])
def change(dish_id: int, dish: DishIn, session: SessionDep) -> None:
    found = session.get(Dish, dish_id)
    if found is None:
        raise HTTPException(404)
    found.name = dish.name
    session.commit()


@deleting.delete("/dishes/{dish_id}")
def delete(dish_id: int, user: CurrentUser, session: SessionDep) -> None:  # finding: privileged-route-without-role-check
    found = session.get(Dish, dish_id)
    if found is None:
        raise HTTPException(404)
    session.delete(found)
    session.commit()


@creating.post("/votes", dependencies=[Depends(RoleChecker(["chef"]))])
def open_votes(dish_id: int, user: CurrentUser, session: SessionDep) -> None:
    session.add(Vote(user_id=user.id, dish_id=dish_id))
    session.commit()


@changing.put("/votes/{vote_id}", dependencies=[Depends(RoleChecker(["chef"]))])
def move_vote(vote_id: int, dish_id: int, session: SessionDep) -> None:
    vote = session.get(Vote, vote_id)
    if vote is None:
        raise HTTPException(404)
    vote.dish_id = dish_id
    session.commit()


@voting.delete("/votes/{vote_id}")
def withdraw(vote_id: int, user: CurrentUser, session: SessionDep) -> None:
    vote = session.scalar(select(Vote).where(Vote.id == vote_id, Vote.user_id == user.id))
    if vote is None:
        raise HTTPException(404)
    session.delete(vote)
    session.commit()


app = FastAPI()
app.include_router(creating)
app.include_router(changing)
app.include_router(deleting)
app.include_router(voting)
