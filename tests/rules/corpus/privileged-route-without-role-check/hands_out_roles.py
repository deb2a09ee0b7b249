"""A role is written for the account that the path names; changing one's own name is another matter."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]


class RoleUpdate(BaseModel):
    role: str


class NameUpdate(BaseModel):
    name: str


def session():
    with Session(engine) as opened:
        yield opened


def current_user(authorization: Annotated[str | None, Header()] = None) -> User:
    if authorization is None:
        raise HTTPException(401)
    return User(id=1)


SessionDep = Annotated[Session, Depends(session)]
app = FastAPI()


@app.put("/people/{person_id}/role", dependencies=[Depends(current_user)])
def change_role(person_id: int, update: RoleUpdate, db: SessionDep) -> None:  # finding: privileged-route-without-role-check
    person = db.get(User, person_id)
    if person is None:
        raise HTTPException(404)
    person.role = update.role
    db.commit()


@app.put("/me/name")
def change_name(update: NameUpdate, user: Annotated[User, Depends(current_user)], db: SessionDep) -> None:
    user.name = update.name
    db.add(user)
    db.commit()
