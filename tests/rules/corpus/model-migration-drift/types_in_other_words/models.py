# ruff: noqa: N805, RUF012
"""The same types as models write them: by annotation, by a mixin, by a subclass of the table's class."""

import enum
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import DECIMAL, DateTime, String, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column


class Base(DeclarativeBase):
    """Base."""


class Status(enum.Enum):
    NEW = "new"
    OLD = "old"


class Owned:
    @declared_attr
    def shop_id(cls) -> Mapped[int | None]:
        return mapped_column(nullable=True)


class Book(Owned, Base):
    __tablename__ = "books"
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "book"}

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    status: Mapped[Status]
    price: Mapped[Decimal] = mapped_column(DECIMAL(10, 2))
    extra: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    tags: Mapped[list[str]] = mapped_column(ARRAY(String))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    kind: Mapped[str] = mapped_column(String(20))


class Magazine(Book):
    __mapper_args__ = {"polymorphic_identity": "magazine"}
