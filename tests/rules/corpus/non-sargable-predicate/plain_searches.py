"""A function of the value costs nothing, and a pattern with a fixed beginning uses the index."""

from fastapi import FastAPI
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)


@app.get("/users")
def find(email: str) -> list[int]:
    with Session(engine) as session:
        exact = select(User.id).where(User.email == func.lower(email))
        begins = select(User.id).where(User.email.like(f"{email}%"))
        return [*session.scalars(exact), *session.scalars(begins)]
