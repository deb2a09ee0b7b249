"""The path's id is compared with the caller's own, and elsewhere a role is tested in a function that is called."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    is_admin: Mapped[bool]


def session():
    with Session(engine) as opened:
        yield opened


def current_user(authorization: Annotated[str | None, Header()] = None) -> User:
    if authorization is None:
        raise HTTPException(401)
    return User(id=1)


SessionDep = Annotated[Session, Depends(session)]
CurrentUser = Annotated[User, Depends(current_user)]
app = FastAPI()


@app.delete("/users/{user_id}")
def close_account(user_id: int, current: CurrentUser, db: SessionDep) -> None:
    if user_id != current.id:
        raise HTTPException(404)
    db.delete(current)
    db.commit()


def admins_only(user: User) -> None:
    if not user.is_admin:
        raise HTTPException(403)


@app.post("/admin/flush")
def flush(user: CurrentUser) -> None:
    admins_only(user)
