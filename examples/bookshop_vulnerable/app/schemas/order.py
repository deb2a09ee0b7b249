"""Requests and responses about orders, quotes, payments and wishlists."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.catalogue import BookTitle
from app.schemas.fields import EntityId

Country = Literal["CH", "DE", "FR", "IT"]
Currency = Literal["CHF", "GBP", "USD"]


class OrderLineIn(BaseModel):
    """How many copies of which book."""

    book_id: EntityId
    quantity: int = Field(ge=1, le=50)


class OrderCreate(BaseModel):
    """What somebody wants to buy."""

    lines: list[OrderLineIn] = Field(min_length=1, max_length=40)


class OrderItemOut(BaseModel):
    """One line of an order."""

    model_config = ConfigDict(from_attributes=True)

    book_id: int
    quantity: int
    unit_price: Decimal


class OrderOut(BaseModel):
    """An order with its lines."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    number: str
    status: str
    currency: str
    total: Decimal
    items: list[OrderItemOut]


class OrderSummary(BaseModel):
    """An order in a list."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    number: str
    status: str
    copies: int


class OrderRow(BaseModel):
    """An order as the office sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    number: str
    status: str
    total: Decimal
    created_at: datetime


class ReceiptOut(BaseModel):
    """What was paid for an order."""

    model_config = ConfigDict(from_attributes=True)

    number: str
    currency: str
    total: Decimal


class DeliveryAddress(BaseModel):
    """Where a parcel goes."""

    street: str = Field(min_length=1, max_length=120)
    street_extra: str | None = Field(max_length=120)  # finding: optional-field-required-or-none-mismatch
    city: str = Field(min_length=1, max_length=80)
    country: Country


class QuoteRequest(BaseModel):
    """A basket that somebody wants to know the price of."""

    lines: list[OrderLineIn] = Field(min_length=1, max_length=40)
    address: DeliveryAddress
    express: bool = False
    gift_wrap: bool = False


class QuoteOut(BaseModel):
    """What a basket would cost."""

    goods: Decimal
    discount: Decimal
    shipping: Decimal
    total: Decimal


class RateOut(BaseModel):
    """A rate for one thing: a currency, a country, a parcel."""

    subject: str
    rate: Decimal


class PaymentNotice(BaseModel):
    """What the payment provider tells us."""

    event_id: str = Field(min_length=1, max_length=80)
    order_number: str = Field(min_length=1, max_length=40)
    amount: Decimal = Field(gt=0, max_digits=12, decimal_places=2)


class PaymentAck(BaseModel):
    """That we wrote it down."""

    order_number: str


class WishlistAdd(BaseModel):
    """A book that somebody wants some day."""

    book_id: EntityId


class WishlistOut(BaseModel):
    """One entry of a wishlist."""

    id: int
    book: BookTitle


class SalesTotal(BaseModel):
    """What the shop earned in a period, or since it opened."""

    period: str
    total: Decimal


class DailyOrders(BaseModel):
    """The orders of one day."""

    day: date
    orders: list[OrderRow]
