"""The order is total: by the key, by a unique column, by the key behind a date; or it is decided by the
caller.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


def by_key(session: Session, offset: int) -> list[Order]:
    return list(session.scalars(select(Order).order_by(Order.id).offset(offset).limit(20)))


def by_number(session: Session, offset: int) -> list[Order]:
    return list(session.scalars(select(Order).order_by(Order.number.desc()).offset(offset).limit(20)))


def by_date(session: Session, offset: int) -> list[Order]:
    statement = select(Order).order_by(Order.created_at.desc(), Order.id.desc())
    return list(session.scalars(statement.offset(offset).limit(20)))


def by_caller(session: Session, statement: Select[Any], offset: int) -> list[Order]:
    return list(session.scalars(statement.offset(offset).limit(20)))


def behind(session: Session, after: int) -> list[Order]:
    return list(session.scalars(select(Order).where(Order.id > after).order_by(Order.id).limit(20)))
