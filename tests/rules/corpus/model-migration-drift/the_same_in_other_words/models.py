"""Tables."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base."""


class Placed:
    """Columns that models inherit."""

    id: Mapped[int] = mapped_column(primary_key=True)
    placed_at: Mapped[datetime | None]


class Order(Placed, Base):
    __tablename__ = "orders"

    total: Mapped[int | None]
    remark: Mapped[str | None] = mapped_column("note", String(200))
    code: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(String(20))
