"""Tables."""

from sqlalchemy import Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base."""


class Order(Base):
    """NULL, a type, and a whole table that the migrations see in another way."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    total: Mapped[int] = mapped_column(Integer)  # finding: model-migration-drift
    note: Mapped[int | None] = mapped_column(Integer)  # finding: model-migration-drift


class Parcel(Base):  # finding: model-migration-drift
    __tablename__ = "parcels"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20))
