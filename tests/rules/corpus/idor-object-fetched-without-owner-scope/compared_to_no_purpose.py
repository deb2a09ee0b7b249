"""Harmful: the caller is compared with the row only to choose what is shown, or to tell whether it is there after its fields were set;
a hidden list that nobody guards does not make the rows everybody's. Harmless: the other party is refused."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import ForeignKey, create_engine, or_, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite://")


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]


class Trade(Base):
    __tablename__ = "trades"
    id: Mapped[int] = mapped_column(primary_key=True)
    user1_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user2_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    action_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    accepted: Mapped[bool]
    user1: Mapped[User] = relationship(foreign_keys=[user1_id])
    user2: Mapped[User] = relationship(foreign_keys=[user2_id])


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
app = FastAPI()


@app.get("/trades")
def mine(user: CurrentUser, session: SessionDep):
    return session.scalars(select(Trade).where(or_(Trade.user1_id == user.id, Trade.user2_id == user.id))).all()


@app.get("/trades/open")
def still_open(user: CurrentUser, session: SessionDep):
    return session.scalars(select(Trade).where(Trade.user1_id == user.id, Trade.accepted.is_(False))).all()


@app.get("/partners/trades", include_in_schema=False)
def everything(session: SessionDep):
    return session.scalars(select(Trade).limit(100)).all()


@app.put("/trades/{trade_id}")
def accept(trade_id: int, user: CurrentUser, session: SessionDep):
    trade = session.scalar(select(Trade).where(Trade.id == trade_id))  # finding: idor-object-fetched-without-owner-scope
    if not trade:
        raise HTTPException(404)
    trade.accepted = True
    trade.action_user_id = user.id
    session.commit()
    other = trade.user1 if trade.user2_id == user.id else trade.user2
    return other.id


@app.get("/trades/{trade_id}")
def show(trade_id: int, user: CurrentUser, session: SessionDep):
    trade = session.scalar(select(Trade).where(Trade.id == trade_id))  # finding: idor-object-fetched-without-owner-scope
    if trade is None:
        raise HTTPException(404)
    return trade.accepted


@app.delete("/trades/{trade_id}")
def withdraw(trade_id: int, user: CurrentUser, session: SessionDep):
    trade = session.scalar(select(Trade).where(Trade.id == trade_id))
    if trade is None:
        raise HTTPException(404)
    if trade.user1_id != user.id and trade.user2_id != user.id:
        raise HTTPException(403)
    session.delete(trade)
    session.commit()
