"""Python may decide about Python's values: instances, arguments, and whether a condition is added at all."""

from sqlalchemy import select, true
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]
    note: Mapped[str | None]


def like(session: Session, order: Order, status: str | None) -> list[Order]:
    statement = select(Order).where(
        Order.status == (order.status if order.note is not None else "new"),
        Order.status == status if status is not None else true(),
        true() if order.note is None else Order.note == order.note,
    )
    return [o for o in session.scalars(statement) if o.note is None and o.status in ("new", "sent")]
