"""Sorted by a date, where rows may be equal, and a query of the older kind without any order."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]


def newest(session: Session, offset: int) -> list[Order]:
    statement = select(Order).order_by(Order.created_at.desc())
    statement = statement.offset(offset).limit(20)  # finding: pagination-unstable-or-deep-offset
    return list(session.scalars(statement))


def older(session: Session, offset: int) -> list[Order]:
    return session.query(Order).offset(offset).limit(20).all()  # finding: pagination-unstable-or-deep-offset
