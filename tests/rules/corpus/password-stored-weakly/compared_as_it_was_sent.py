"""A login that compares the column with the password shows how the password is stored."""

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase): ...


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    password: Mapped[str]


class Device(Base):
    __tablename__ = "devices"
    id: Mapped[int] = mapped_column(primary_key=True)
    password_hash: Mapped[str]


class Login(BaseModel):
    name: str
    password: str
    password_again: str = ""


app = FastAPI()
session = Session()


@app.post("/login")
def log_in(login: Login) -> str:
    member = session.scalars(select(Member).where(Member.name == login.name)).one()
    if member.password != login.password:  # finding: password-stored-weakly: plain equality with the column
        raise HTTPException(401)
    return member.name


@app.post("/login/query")
def log_in_by_query(name: str, password: str) -> str:
    statement = select(Member.name).where(Member.name == name, Member.password == password)  # finding: password-stored-weakly
    return session.scalars(statement).one()


@app.post("/members")
def check_typing(login: Login) -> bool:
    return login.password == login.password_again  # silent: two inputs


@app.post("/devices/{device_id}")
def log_in_device(device_id: int, password: str) -> bool:
    device = session.get_one(Device, device_id)
    password = derive(password)
    return device.password_hash == password  # silent: another value than the one that was sent


@app.put("/members/{member_id}")
def is_new(member_id: int, other_id: int) -> bool:
    member, other = session.get_one(Member, member_id), session.get_one(Member, other_id)
    return member.password == other.password  # silent: two rows


def derive(password: str) -> str: ...
