"""SQLAlchemy's own operators, and the bitwise ones, are evaluated by the database."""

from sqlalchemy import and_, not_, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    paid: Mapped[bool]
    note: Mapped[str | None]


def find(session: Session, ids: list[int]) -> list[Order]:
    statement = select(Order).where(
        and_(Order.note.is_(None), ~Order.paid),
        Order.id.in_(ids),
        not_(Order.paid) | (Order.note == None),  # noqa: E711
    )
    return list(session.scalars(statement))
