"""What the model stores is a hash where every caller hashes first, and a password where one of them does not."""

import bcrypt
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase): ...


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    password: Mapped[str]

    def update_password(self, password: str) -> None:
        self.password = password


class Guest(Base):
    __tablename__ = "guests"
    id: Mapped[int] = mapped_column(primary_key=True)
    password: Mapped[str]

    def update_password(self, password: str) -> None:
        self.password = password  # finding: password-stored-weakly


class SignUp(BaseModel):
    name: str
    password: str


app = FastAPI()
session = Session()


def hash_password(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()


def insert(new: SignUp) -> None:
    session.add(Member(name=new.name, password=new.password))


@app.post("/members")
def sign_up(new: SignUp) -> None:
    new.password = hash_password(new.password)
    insert(new)


def store(member: Member, password: str) -> None:
    member.update_password(password)


@app.put("/members/{member_id}/password")
def change(member_id: int, new_password: str) -> None:
    hashed = hash_password(new_password)
    store(session.get_one(Member, member_id), hashed)


@app.put("/guests/{guest_id}/password")
def change_guest(guest_id: int, new_password: str) -> None:
    guest: Guest = session.get_one(Guest, guest_id)
    guest.update_password(new_password)
