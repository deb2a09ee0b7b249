"""Ratios, scores, coordinates and counts are floats by right, whatever words their names share with money."""

from pydantic import BaseModel
from sqlalchemy import Float
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Recipe(Base):
    __tablename__ = "recipes"

    id: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[float] = mapped_column(Float)
    total: Mapped[float]
    latitude: Mapped[float]


class Offer(BaseModel):
    price_change_percent: float
    fee_rate: float
    price_score: float


class Rainfall(BaseModel):
    amount: float
