"""Harmful: through a generic helper and a schema that inherits the column, a statement, a constructor, a row that is given away.
Harmless: left out, popped, written over, an administrator's operation, a test of the role, a row that is never stored."""

from typing import Annotated, Generic, TypeVar

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    balance: Mapped[int]
    email_verified: Mapped[bool]


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str]
    text: Mapped[str]


class UserBase(BaseModel):
    name: str = ""
    role: str = "reader"


class UserUpdate(UserBase): ...


class Registration(UserBase):
    email_verified: bool = False


class TopUp(BaseModel):
    name: str | None = None
    balance: int | None = None


class NoteUpdate(BaseModel):
    text: str | None = None
    role: str | None = None
    owner_id: int | None = None


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


def require_admin(user: CurrentUser) -> User:
    if user.role != "admin":
        raise HTTPException(403)
    return user


Row = TypeVar("Row", bound=Base)
Change = TypeVar("Change", bound=BaseModel)


class Filler(Generic[Row, Change]):
    def update(self, session: Session, row: Row, change: Change) -> None:
        for name, value in change.model_dump(exclude_unset=True).items():
            setattr(row, name, value)  # finding: mass-assignment-privileged-column
        session.commit()


class Users(Filler[User, UserUpdate]): ...


app = FastAPI()


@app.patch("/me")
def change_me(change: UserUpdate, user: CurrentUser, session: SessionDep) -> None:
    Users().update(session, user, change)


@app.post("/registrations")
def register(registration: Registration, session: SessionDep) -> None:
    session.add(User(**registration.model_dump(), token="t", balance=0))  # finding: mass-assignment-privileged-column
    session.commit()


@app.patch("/me/balance")
def top_up(change: TopUp, user: CurrentUser, session: SessionDep) -> None:
    values = change.model_dump(exclude_unset=True)
    session.execute(update(User).where(User.id == user.id).values(**values))  # finding: mass-assignment-privileged-column
    session.commit()


@app.patch("/notes/{note_id}")
def change_note(note_id: int, change: NoteUpdate, user: CurrentUser, session: SessionDep) -> None:
    note = session.scalars(select(Note).where(Note.id == note_id, Note.owner_id == user.id)).one()
    for name, value in change.model_dump(exclude_unset=True).items():
        setattr(note, name, value)  # finding: mass-assignment-privileged-column
    session.commit()


@app.patch("/me/left-out")
def left_out(change: UserUpdate, user: CurrentUser, session: SessionDep) -> None:
    for name, value in change.model_dump(exclude_unset=True, exclude={"role"}).items():
        setattr(user, name, value)
    session.commit()


@app.patch("/me/popped")
def popped(change: UserUpdate, user: CurrentUser, session: SessionDep) -> None:
    values = change.model_dump(exclude_unset=True)
    for field in ["role", "balance"]:
        values.pop(field, None)
    for name, value in values.items():
        setattr(user, name, value)
    session.commit()


@app.post("/registrations/written-over")
def written_over(registration: UserUpdate, session: SessionDep) -> None:
    user = User(**{**registration.model_dump(), "role": "reader"}, token="t", balance=0, email_verified=False)
    session.add(user)
    session.commit()


@app.patch("/listed")
def listed(change: UserUpdate, user: CurrentUser, session: SessionDep) -> None:
    for name, value in change.model_dump(exclude_unset=True).items():
        if name in ("name",):
            setattr(user, name, value)
    session.commit()


@app.patch("/users/{user_id}", dependencies=[Depends(require_admin)])
def by_administrators(user_id: int, change: UserUpdate, session: SessionDep) -> None:
    user = session.get_one(User, user_id)
    for name, value in change.model_dump(exclude_unset=True).items():
        setattr(user, name, value)
    session.commit()


@app.patch("/checked/{user_id}")
def tests_the_role(user_id: int, change: UserUpdate, user: CurrentUser, session: SessionDep) -> None:
    if user.role != "admin":
        raise HTTPException(403)
    session.execute(update(User).where(User.id == user_id).values(**change.model_dump(exclude_unset=True)))
    session.commit()


@app.post("/previews", dependencies=[Depends(current_user)])
def never_stored(registration: Registration) -> str:
    return User(**registration.model_dump(), token="t", balance=0).name
