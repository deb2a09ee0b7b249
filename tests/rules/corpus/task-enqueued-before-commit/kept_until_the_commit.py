"""A function of the project with a queue's name keeps the jobs and sends them behind the commit."""

from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")
jobs: list[tuple[str, int]] = []


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


def enqueue_job(name: str, order_id: int) -> None:
    jobs.append((name, order_id))


@app.post("/orders")
def place_order(title: str) -> None:
    with Session(engine) as session:
        order = Order(title=title)
        session.add(order)
        session.flush()
        enqueue_job("confirm", order.id)
        session.commit()
