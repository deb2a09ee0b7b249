"""Harmless: the check stands in a dependency, in a helper, in a membership, in a policy, in a role, in the session; the row is only
asked for to see whether it is there, belongs to nobody, or is named by a secret. Harmful: a comparison of something else."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite://")


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]
    is_superuser: Mapped[bool]


class Membership(Base):
    __tablename__ = "memberships"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id"), primary_key=True)


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    share_token: Mapped[str]
    text: Mapped[str]
    kind: Mapped[str]
    owner: Mapped[User] = relationship()


class Colour(Base):
    __tablename__ = "colours"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


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


def valid_owned_note(note_id: int, user: CurrentUser, session: SessionDep) -> Note:
    note = session.get(Note, note_id)
    if note is None or note.owner is not user:
        raise HTTPException(404)
    return note


def is_owner(user: User, note: Note) -> bool:
    return note.owner_id == user.id


def own_session(user: CurrentUser):
    with Session(engine.execution_options(caller=user.id)) as session:
        yield session


def require_superuser(user: CurrentUser) -> User:
    if not user.is_superuser:
        raise HTTPException(403)
    return user


class Policy:
    def __init__(self, session: Session, user: User) -> None:
        self.session = session
        self.user = user

    def note(self, note_id: int) -> Note:
        note = self.session.get(Note, note_id)
        if note is None or self.user.id != note.owner_id:
            raise HTTPException(404)
        return note


app = FastAPI()


class Copy(BaseModel):
    note_id: int
    text: str


@app.get("/notes")
def own_notes(user: CurrentUser, session: SessionDep) -> list[str]:
    return list(session.scalars(select(Note.text).where(Note.owner_id == user.id)))


@app.get("/notes/newest")
def newest(user: CurrentUser, session: SessionDep) -> str | None:
    statement = select(Note.text).order_by(Note.id.desc())
    statement = statement.where(Note.owner_id == user.id)
    return session.scalar(statement)


@app.get("/dependency/{note_id}")
def by_dependency(note: Annotated[Note, Depends(valid_owned_note)]) -> str:
    return note.text


@app.get("/helper/{note_id}")
def by_helper(note_id: int, user: CurrentUser, session: SessionDep) -> str:
    note = session.get(Note, note_id)
    if note is None or not is_owner(user, note):
        raise HTTPException(404)
    return note.text


@app.get("/membership/{note_id}")
def by_membership(note_id: int, user: CurrentUser, session: SessionDep) -> str:
    member = session.scalar(select(Membership).where(Membership.user_id == user.id, Membership.note_id == note_id))
    if member is None:
        raise HTTPException(404)
    return session.get_one(Note, note_id).text


@app.get("/policy/{note_id}")
def by_policy(note_id: int, user: CurrentUser, session: SessionDep) -> str:
    return Policy(session, user).note(note_id).text


@app.get("/superusers/{note_id}", dependencies=[Depends(require_superuser)])
def by_superusers(note_id: int, session: SessionDep) -> str:
    return session.get_one(Note, note_id).text


@app.get("/branch/{note_id}")
def by_owner_or_superuser(note_id: int, user: CurrentUser, session: SessionDep) -> str:
    statement = select(Note).where(Note.id == note_id)
    if not user.is_superuser:
        statement = statement.where(Note.owner_id == user.id)
    note = session.scalar(statement)
    if note is None:
        raise HTTPException(404)
    return note.text


@app.get("/session/{note_id}")
def by_session(note_id: int, session: Annotated[Session, Depends(own_session)]) -> str:
    return session.get_one(Note, note_id).text


@app.get("/shared/{share_token}", dependencies=[Depends(current_user)])
def by_secret(share_token: str, session: SessionDep) -> str:
    return session.scalars(select(Note.text).where(Note.share_token == share_token)).one()


@app.post("/copies")
def is_there(copy: Copy, user: CurrentUser, session: SessionDep) -> None:
    known = session.get(Note, copy.note_id)
    if known is None:
        raise HTTPException(404)
    session.add(Note(owner_id=user.id, text=copy.text, kind="copy"))
    session.commit()


@app.get("/colours/{colour_id}", dependencies=[Depends(current_user)])
def of_nobody(colour_id: int, session: SessionDep) -> str:
    return session.get_one(Colour, colour_id).name


@app.get("/kinds/{note_id}")
def compares_something_else(note_id: int, user: CurrentUser, session: SessionDep) -> str:
    note = session.get(Note, note_id)  # finding: idor-object-fetched-without-owner-scope
    if note is None or note.kind != "public" or not user.token:
        raise HTTPException(404)
    return note.text
