"""Harmful: comments that are made for the caller are changed and removed by anybody. Harmless: everybody reads them; whoever wrote one
changes it."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
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


class Comment(Base):
    __tablename__ = "comments"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str]


class Answer(Base):
    __tablename__ = "answers"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str]


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


class Text(BaseModel):
    text: str


app = FastAPI()


@app.post("/comments")
def comment(text: Text, user: CurrentUser, session: SessionDep) -> None:
    session.add(Comment(user_id=user.id, text=text.text))
    session.commit()


@app.get("/comments/{comment_id}", dependencies=[Depends(current_user)])
def read(comment_id: int, session: SessionDep) -> str:
    return session.get_one(Comment, comment_id).text


@app.patch("/comments/{comment_id}", dependencies=[Depends(current_user)])
def change(comment_id: int, text: Text, session: SessionDep) -> None:
    row = session.get_one(Comment, comment_id)  # finding: idor-object-fetched-without-owner-scope
    row.text = text.text
    session.commit()


@app.delete("/comments/{comment_id}")
def remove(comment_id: int, user: CurrentUser, session: SessionDep) -> None:
    session.delete(session.get_one(Comment, comment_id))  # finding: idor-object-fetched-without-owner-scope
    session.commit()


@app.post("/answers")
def answer(text: Text, user: CurrentUser, session: SessionDep) -> None:
    row = Answer(text=text.text)
    row.user_id = user.id
    session.add(row)
    session.commit()


@app.get("/answers/{answer_id}", dependencies=[Depends(current_user)])
def read_answer(answer_id: int, session: SessionDep) -> str:
    return session.get_one(Answer, answer_id).text


@app.patch("/answers/{answer_id}")
def change_answer(answer_id: int, text: Text, user: CurrentUser, session: SessionDep) -> None:
    row = session.get_one(Answer, answer_id)
    if row.user_id != user.id:
        raise HTTPException(403)
    row.text = text.text
    session.commit()
