"""An index of the expression serves it; so does one for another condition of the statement."""

from datetime import datetime

from fastapi import FastAPI
from sqlalchemy import Index, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("postgresql+psycopg://localhost/shop")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    team: Mapped[str] = mapped_column(index=True)
    joined_at: Mapped[datetime]


Index("ix_users_email_lower", func.lower(User.email))


@app.get("/users")
def find(email: str) -> int | None:
    with Session(engine) as session:
        return session.scalar(select(User.id).where(func.lower(User.email) == email.lower()))


@app.get("/teams/{team}")
def of_team(team: str, email: str) -> int | None:
    with Session(engine) as session:
        return session.scalar(select(User.id).where(User.team == team, User.email.ilike(f"%{email}%")))
