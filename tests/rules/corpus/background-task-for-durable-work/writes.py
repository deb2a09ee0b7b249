"""A row written and a webhook sent after the answer are lost with the process."""

import httpx
from celery import shared_task
from fastapi import BackgroundTasks, FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Payout(Base):
    __tablename__ = "payouts"

    id: Mapped[int] = mapped_column(primary_key=True)


@shared_task
def report() -> None:
    return None


def pay(amount: int) -> None:
    with Session(engine) as session:
        session.add(Payout(id=amount))
        session.commit()


def call_partner(order_id: int) -> None:
    httpx.post("https://partner.example/hooks", json={"order": order_id}, timeout=5)


@app.post("/payouts")
def payout(amount: int, tasks: BackgroundTasks) -> None:
    tasks.add_task(pay, amount)  # finding: background-task-for-durable-work
    tasks.add_task(call_partner, amount)  # finding: background-task-for-durable-work
