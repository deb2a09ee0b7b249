"""`in`, `not`, `and` and `or` on columns, in filters of either style and below `or_`."""

from sqlalchemy import or_, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]
    paid: Mapped[bool]
    note: Mapped[str | None]


def unpaid(session: Session) -> list[Order]:
    return session.query(Order).filter(not Order.paid).all()  # finding: python-operator-in-sql-expression


def active(session: Session) -> list[Order]:
    query = session.query(Order)
    return query.filter(Order.status in ["new", "sent"]).all()  # finding: python-operator-in-sql-expression


def both(session: Session) -> list[Order]:
    return session.query(Order).filter(
        Order.status == "new" and Order.paid,  # finding: python-operator-in-sql-expression
    )


def either(session: Session) -> list[Order]:
    statement = select(Order).where(
        or_(Order.paid, Order.note is not None),  # finding: python-operator-in-sql-expression
    )
    return list(session.scalars(statement))
