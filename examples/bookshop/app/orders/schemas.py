"""How orders look from outside."""

from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from app.books.schemas import Price, Version
from app.orders.models import OrderStatus
from app.schemas import InputModel, OutputModel, ShortText

Quantity = Annotated[int, Field(ge=1, le=99)]
Total = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]


class NewOrderItem(InputModel):
    """So many copies of one book."""

    book_id: UUID
    quantity: Quantity


class NewOrder(InputModel):
    """A purchase. Prices are the shop's to know."""

    items: Annotated[list[NewOrderItem], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def name_each_book_once(self) -> Self:
        """Refuse two lines for the same book."""
        if len({item.book_id for item in self.items}) < len(self.items):
            raise ValueError("name each book once")
        return self


class Shipment(InputModel):
    """That an order has left the house, and the version that was looked at."""

    status: Literal[OrderStatus.SHIPPED]
    version: Version


class OrderLine(OutputModel):
    """One line of an order."""

    book_id: UUID
    title: ShortText
    unit_price: Price
    quantity: Quantity


class OrderSummary(OutputModel):
    """An order in a list."""

    id: UUID
    status: OrderStatus
    total: Total
    version: Version
    created_at: AwareDatetime


class OrderDetails(OrderSummary):
    """An order on its own page."""

    items: Annotated[list[OrderLine], Field(max_length=50)]
