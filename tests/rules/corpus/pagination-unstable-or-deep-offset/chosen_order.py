"""The client chooses the column, and the key comes behind it."""

from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    total: Mapped[int]


COLUMNS = {"total": Order.total, "number": Order.id}


def chosen(session: Session, column: str, offset: int) -> list[Order]:
    statement = select(Order).order_by(COLUMNS[column], Order.id)
    return list(session.scalars(statement.offset(offset).limit(20)))
