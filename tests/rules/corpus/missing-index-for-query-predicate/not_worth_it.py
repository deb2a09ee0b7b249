"""Flags, small tables, a unique column beside the searched one, and scripts need no further index."""

from datetime import datetime

from fastapi import FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Role(Base):
    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    made_at: Mapped[datetime]


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    buyer: Mapped[str]
    paid: Mapped[bool]
    placed_at: Mapped[datetime]


@app.get("/orders/{number}")
def read(number: str, buyer: str) -> int | None:
    with Session(engine) as session:
        session.scalar(select(Role).where(Role.name == "buyer"))
        session.scalars(select(Order).where(Order.paid.is_(False)).limit(10)).all()
        return session.scalar(select(Order.id).where(Order.buyer == buyer, Order.number == number))


def export(buyer: str) -> list[int]:
    with Session(engine) as session:
        return list(session.scalars(select(Order.id).where(Order.buyer == buyer)))
