"""Tables; the application creates what the migrations leave out."""

from sqlalchemy import Engine, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base."""


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    total: Mapped[int | None]
    colour: Mapped[str | None] = mapped_column(String(20))  # finding: model-migration-drift


class Parcel(Base):
    __tablename__ = "parcels"

    id: Mapped[int] = mapped_column(primary_key=True)


def prepare(engine: Engine) -> None:
    Base.metadata.create_all(engine)
