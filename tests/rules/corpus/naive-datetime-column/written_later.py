"""Aware times reach the columns by assignment, by the constructor and through a function of one's own."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, DateTime, Integer
from sqlalchemy.orm import DeclarativeBase, Session


class Base(DeclarativeBase):
    pass


def utc_now() -> datetime:
    return datetime.now(UTC)


class Loan(Base):
    __tablename__ = "loans"

    id = Column(Integer, primary_key=True)
    due_at = Column(DateTime)  # finding: naive-datetime-column
    returned_at = Column(DateTime)  # finding: naive-datetime-column
    renewed_at = Column(DateTime(timezone=True))


def lend(session: Session) -> None:
    session.add(Loan(due_at=utc_now() + timedelta(days=14)))


def give_back(loan: Loan) -> None:
    loan.returned_at = datetime.now(UTC)
    loan.renewed_at = datetime.now(UTC)
