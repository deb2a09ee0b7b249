"""Amounts and totals of things that are traded are money; a currency beside an amount says so, too."""

from decimal import Decimal

from pydantic import BaseModel
from sqlalchemy import REAL, Column, Integer, Numeric
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass


class Invoice(Base):
    __tablename__ = "invoices"

    id = Column(Integer, primary_key=True)
    total = Column(REAL)  # finding: money-as-float
    paid = Column(Numeric(12, 2))


class Transfer(BaseModel):
    currency: str
    amount: float | None = None  # finding: money-as-float


class Costs(BaseModel):
    price_usd: float  # finding: money-as-float
    exact_price: Decimal
    price_cents: int
