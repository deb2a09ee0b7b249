"""Lower case, a pattern that begins with a wildcard, and a cast, each on an indexed column."""

from datetime import date, datetime

from fastapi import FastAPI
from sqlalchemy import Date, cast, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("postgresql+psycopg://localhost/shop")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(index=True)
    joined_at: Mapped[datetime] = mapped_column(index=True)


@app.get("/users")
def find(email: str, name: str, day: date) -> list[int]:
    with Session(engine) as session:
        one = select(User.id).where(func.lower(User.email) == email.lower())  # finding: non-sargable-predicate
        two = select(User.id).where(User.name.like(f"%{name}%"))  # finding: non-sargable-predicate
        three = select(User.id).where(cast(User.joined_at, Date) == day)  # finding: non-sargable-predicate
        return [*session.scalars(one), *session.scalars(two), *session.scalars(three)]
