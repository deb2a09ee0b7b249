"""A background task of FastAPI, and a dependency that commits behind its `yield`."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


def committing() -> Iterator[Session]:
    with Session(engine) as session:
        yield session
        session.commit()


def plain() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


def confirm(order_id: int) -> None: ...


@app.post("/orders")
def place_order(title: str, tasks: BackgroundTasks, session: Annotated[Session, Depends(committing)]) -> None:
    order = Order(title=title)
    session.add(order)
    session.flush()
    tasks.add_task(confirm, order.id)


@app.post("/orders/committed")
def place_and_commit(title: str, tasks: BackgroundTasks, session: Annotated[Session, Depends(plain)]) -> None:
    order = Order(title=title)
    session.add(order)
    session.flush()
    tasks.add_task(confirm, order.id)
    session.commit()
