"""Filters that may all be missing, a query that deletes, and a statement with a name."""

from fastapi import FastAPI
from sqlalchemy import create_engine, delete, update
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


@app.delete("/orders")
def remove(buyer: str | None = None) -> None:
    conditions = []
    if buyer:
        conditions.append(Order.buyer == buyer)
    with Session(engine) as session:
        session.execute(delete(Order).where(*conditions))  # finding: write-statement-without-where
        session.commit()


@app.delete("/legacy")
def remove_legacy() -> None:
    with Session(engine) as session:
        session.query(Order).delete()  # finding: write-statement-without-where
        session.commit()


@app.post("/seen")
def mark_seen() -> None:
    statement = update(Order).values(seen=True)  # finding: write-statement-without-where
    with Session(engine) as session:
        session.execute(statement)
        session.commit()
