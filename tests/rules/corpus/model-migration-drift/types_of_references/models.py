"""A foreign key without a type has the type of the column it refers to, whatever the annotation says."""

import uuid

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base."""


class Shop(Base):
    __tablename__ = "shops"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)


class Shelf(Base):
    __tablename__ = "shelves"

    shop_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("shops.id"), primary_key=True)


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    shelf_id: Mapped[str | None] = mapped_column(ForeignKey("shelves.shop_id"))
    sold_by: Mapped[int | None] = mapped_column(ForeignKey("shops.id"))  # finding: model-migration-drift
    made_by: Mapped[str | None] = mapped_column(String(36))  # finding: model-migration-drift
