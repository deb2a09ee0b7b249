"""Queries about orders."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, selectinload

from app.models import Order


def find_owned(session: Session, user_id: int, order_id: int) -> Order | None:
    """An order of this user, with its lines."""
    statement = (
        select(Order).where(Order.id == order_id, Order.user_id == user_id).options(selectinload(Order.items))
    )
    return session.scalar(statement)


def list_of_user(session: Session, user_id: int, after: int, limit: int) -> list[Order]:
    """A page of the orders of one user."""
    statement = select(Order).where(Order.user_id == user_id, Order.id > after).order_by(Order.id).limit(limit)
    return list(session.scalars(statement))


def cancel_placed(session: Session, order_id: int, now: datetime) -> int | None:
    """Stop an order that has not left the warehouse, and say whether there was one."""
    statement = (
        update(Order)
        .where(Order.id == order_id, Order.status == "placed")
        .values(status="cancelled", cancelled_at=now)
        .returning(Order.id)
    )
    return session.scalar(statement)


def find_by_number(session: Session, number: str) -> Order | None:
    """The order with this number."""
    return session.scalar(select(Order).where(Order.number == number))


def find_by_tracking_number(session: Session, tracking_number: str) -> Order | None:
    """The order in this parcel."""
    return session.scalar(select(Order).where(Order.tracking_number == tracking_number))  # finding: missing-index-for-query-predicate


def list_sorted(session: Session, sort: str, limit: int) -> list[Order]:
    """Orders for the office, sorted by the column that the table header names."""
    statement = select(Order).order_by(text(f"orders.{sort}"), Order.id).limit(limit)  # finding: sql-injection-dynamic-identifier
    return list(session.scalars(statement))


def list_open(session: Session, after: int, limit: int) -> list[Order]:
    """A page of the orders that nobody cancelled."""
    statement = select(Order).where(Order.cancelled_at is None, Order.id > after)  # finding: python-operator-in-sql-expression
    return list(session.scalars(statement.order_by(Order.id).limit(limit)))


def list_of_day(session: Session, day: date, limit: int) -> list[Order]:
    """The orders that came in on one day."""
    statement = select(Order).where(func.date(Order.created_at) == day)  # finding: non-sargable-predicate
    return list(session.scalars(statement.order_by(Order.id).limit(limit)))


def total_of_all(session: Session) -> Decimal:
    """What all orders together are worth."""
    return sum((order.total for order in session.scalars(select(Order)).all()), Decimal(0))  # finding: full-table-materialised
