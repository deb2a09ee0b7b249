"""The condition may come later, from another function, or from a list that always has one."""

from fastapi import FastAPI
from sqlalchemy import Delete, create_engine, delete, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    buyer: Mapped[str]
    seen: Mapped[bool]


def removal() -> Delete:
    return delete(Order)


def of_buyer(statement: Delete, buyer: str) -> Delete:
    return statement.where(Order.buyer == buyer)


@app.delete("/orders")
def remove(buyer: str, order_id: int | None = None) -> None:
    conditions = [Order.buyer == buyer]
    if order_id is not None:
        conditions.append(Order.id == order_id)
    with Session(engine) as session:
        session.execute(delete(Order).where(*conditions))
        session.execute(of_buyer(delete(Order), buyer))
        statement = update(Order).values(seen=True)
        session.execute(statement.where(Order.buyer == buyer))
        session.query(Order).filter(Order.buyer == buyer).delete()
        session.commit()
