"""Harmful: a body that is read from the request, a schema that allows more, a constructor. Harmless: keys that are compared with a
list, a mapping that is stored whole, a closed schema, an administrator's operation."""

from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, HTTPException, Request
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON, ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")
EDITABLE = {"text", "colour"}


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]
    is_admin: Mapped[bool]


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str]
    colour: Mapped[str]
    extras: Mapped[dict[str, Any]] = mapped_column(JSON)


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")

    text: str = ""


class Closed(BaseModel):
    text: str | None = None


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


def own_note(note_id: int, user: CurrentUser, session: SessionDep) -> Note:
    note = session.get(Note, note_id)
    if note is None or note.owner_id != user.id:
        raise HTTPException(404)
    return note


OwnNote = Annotated[Note, Depends(own_note)]


def require_admin(user: CurrentUser) -> User:
    if not user.is_admin:
        raise HTTPException(403)
    return user


def fill(note: Note, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if hasattr(note, name):
            setattr(note, name, value)  # finding: mass-assignment-open-schema


app = FastAPI()


@app.put("/notes/{note_id}/raw")
async def change_raw(request: Request, note: OwnNote, session: SessionDep) -> None:
    data = await request.json()
    for name, value in data.items():
        setattr(note, name, value)  # finding: mass-assignment-open-schema
    session.commit()


@app.put("/notes/{note_id}/helped")
def change_helped(values: dict[str, Any], note: OwnNote, session: SessionDep) -> None:
    fill(note, values)
    session.commit()


@app.post("/notes")
def make(note: Loose, session: SessionDep, user: CurrentUser) -> None:
    session.add(Note(**note.model_dump()))  # finding: mass-assignment-open-schema
    session.commit()


@app.put("/notes/{note_id}/listed")
def change_listed(values: Annotated[dict[str, Any], Body()], note: OwnNote, session: SessionDep) -> None:
    for name, value in values.items():
        if name not in EDITABLE:
            continue
        setattr(note, name, value)
    session.commit()


@app.put("/notes/{note_id}/picked")
def change_picked(values: Annotated[dict[str, Any], Body()], note: OwnNote, session: SessionDep) -> None:
    for name, value in {k: v for k, v in values.items() if k in EDITABLE}.items():
        setattr(note, name, value)
    session.commit()


@app.put("/notes/{note_id}/extras")
def store_whole(extras: Annotated[dict[str, Any], Body()], note: OwnNote, session: SessionDep) -> None:
    note.extras = extras
    session.commit()


@app.put("/notes/{note_id}")
def change(closed: Closed, note: OwnNote, session: SessionDep) -> None:
    fill_closed = closed.model_dump(exclude_unset=True)
    for name in fill_closed:
        setattr(note, name, fill_closed[name])
    session.commit()


@app.put("/all-notes/{note_id}", dependencies=[Depends(require_admin)])
def by_administrators(note_id: int, values: Annotated[dict[str, Any], Body()], session: SessionDep) -> None:
    note = session.get_one(Note, note_id)
    for name, value in values.items():
        setattr(note, name, value)
    session.commit()
