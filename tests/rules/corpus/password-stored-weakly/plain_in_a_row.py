"""The password goes into the row as it was sent: when it is made, and when it is changed."""

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase): ...


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    password: Mapped[str]


class SignUp(BaseModel):
    name: str
    password: str


app = FastAPI()
session = Session()


@app.post("/members")
def sign_up(new: SignUp) -> None:
    session.add(Member(name=new.name, password=new.password))  # finding: password-stored-weakly


@app.put("/members/{member_id}/password")
def change(member_id: int, new_password: str) -> None:
    member = session.get_one(Member, member_id)
    member.password = new_password  # finding: password-stored-weakly
