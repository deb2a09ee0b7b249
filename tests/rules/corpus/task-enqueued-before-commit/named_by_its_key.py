"""The message carries the key by which the row was found, or under which it was made."""

from uuid import uuid4

from celery import Celery
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

app = FastAPI()
worker = Celery("shop", broker="memory://")
new_session = sessionmaker(create_engine("sqlite:///shop.db"))


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]


@worker.task
def confirm(what: str) -> None:
    print(what)


def get_session():
    with new_session() as session:
        yield session
        session.commit()


@app.post("/orders")
def place(session: Session = Depends(get_session)) -> str:
    order_id = str(uuid4())
    session.add(Order(id=order_id, state="new"))
    confirm.delay(order_id)  # finding: task-enqueued-before-commit
    return order_id


@app.put("/orders/{order_id}/paid")
def pay(order_id: str, session: Session = Depends(get_session)) -> None:
    order = session.get(Order, order_id)
    order.state = "paid"
    confirm.delay(order_id)  # finding: task-enqueued-before-commit


@app.put("/orders/{order_id}/sent")
def send(order_id: str, session: Session = Depends(get_session)) -> None:
    session.execute(update(Order).where(Order.id == order_id).values(state="sent"))
    confirm.delay(order_id)  # finding: task-enqueued-before-commit


@app.put("/orders/{order_id}/held")
def hold(order_id: str, session: Session = Depends(get_session)) -> None:
    order = session.query(Order).filter(Order.id == order_id).one()
    order.state = "held"
    confirm.delay(order.id)  # finding: task-enqueued-before-commit


@app.put("/orders/{order_id}/committed")
def commit(order_id: str, session: Session = Depends(get_session)) -> None:
    order = session.get(Order, order_id)
    order.state = "paid"
    session.commit()
    confirm.delay(order_id)


@app.put("/orders/{order_id}/state")
def change(order_id: str, state: str, customer: str, session: Session = Depends(get_session)) -> None:
    order = session.query(Order).filter_by(id=order_id).one()
    order.state = state
    confirm.delay(state)
    confirm.delay(customer)


@app.get("/orders/{order_id}")
def read(order_id: str, session: Session = Depends(get_session)) -> str:
    order = session.get(Order, order_id)
    confirm.delay(order_id)
    return order.state
