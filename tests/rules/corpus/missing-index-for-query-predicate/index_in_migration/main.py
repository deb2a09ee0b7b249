"""The index that only a migration makes is there in production."""

from datetime import datetime

from fastapi import FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("postgresql+psycopg://localhost/shop")


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    tracking_number: Mapped[str | None]
    placed_at: Mapped[datetime]


@app.get("/parcels/{number}")
def find_parcel(number: str) -> int | None:
    with Session(engine) as session:
        return session.scalar(select(Order.id).where(Order.tracking_number == number))
