"""Naive UTC throughout is old-fashioned and consistent; a zone that is cut off in time does no harm."""

from datetime import UTC, datetime

from sqlalchemy import DateTime, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class Visit(Base):
    __tablename__ = "visits"

    id: Mapped[int] = mapped_column(primary_key=True)
    began_at: Mapped[datetime] = mapped_column(default=datetime.utcnow)
    seen_at: Mapped[datetime] = mapped_column(DateTime, default=now)
    ended_at: Mapped[datetime] = mapped_column(DateTime, server_default=func.now())


def end(visit: Visit) -> None:
    visit.ended_at = datetime.utcnow()
