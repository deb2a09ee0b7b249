"""The row is written in a repository, the task is sent by a service, and the dependency commits."""

from collections.abc import Iterator
from typing import Annotated

from celery import Celery
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
worker = Celery("shop", broker="redis://localhost")
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    status: Mapped[str]


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)


@worker.task
def confirm(order_id: int) -> None: ...


@worker.task
def greet(user_id: int) -> None: ...


def committing() -> Iterator[Session]:
    with Session(engine) as session:
        yield session
        session.commit()


def plain() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


Committing = Annotated[Session, Depends(committing)]
Plain = Annotated[Session, Depends(plain)]


class Orders:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, order: Order) -> Order:
        self.session.add(order)
        self.session.flush()
        return order


class Checkout:
    def __init__(self, session: Session) -> None:
        self.orders = Orders(session)

    def place(self, title: str) -> Order:
        order = self.orders.add(Order(title=title, status="new"))
        self.announce(order.id)  # finding: task-enqueued-before-commit
        return order

    def announce(self, order_id: int) -> None:
        confirm.apply_async(args=[order_id], countdown=2)


@app.post("/orders")
def place_order(title: str, session: Committing) -> int:
    return Checkout(session).place(title).id


@app.post("/orders/committed")
def place_and_commit(title: str, session: Plain) -> None:
    order = Orders(session).add(Order(title=title, status="new"))
    session.commit()
    confirm.delay(order.id)


@app.post("/orders/{order_id}/pay")
def pay(order_id: int, session: Plain) -> None:
    order = session.get_one(Order, order_id)
    order.status = "paid"
    confirm.delay(order.id)  # finding: task-enqueued-before-commit
    session.commit()


@app.post("/orders/other-row")
def about_another_row(user_id: int, session: Plain) -> None:
    session.add(Order(title="Emma", status="new"))
    session.flush()
    greet.delay(user_id)
    session.commit()


@app.post("/orders/on-failure")
def when_it_fails(title: str, session: Plain) -> None:
    order = Order(title=title, status="new")
    session.add(order)
    try:
        session.commit()
    except ValueError:
        session.rollback()
        confirm.delay(order.id)
