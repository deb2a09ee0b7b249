"""What travels over the websocket of order updates."""

from typing import Literal
from uuid import UUID

from app.orders.models import OrderStatus
from app.schemas import InputModel, OutputModel


def channel_of(user_id: UUID) -> str:
    """Return the Redis channel on which a user's updates are published."""
    return f"bookshop:order-updates:{user_id}"


class Ticket(OutputModel):
    """Opens one websocket, within seconds."""

    ticket: str
    expires_in: int


class OrderUpdate(OutputModel):
    """That an order has a new status."""

    order_id: UUID
    status: OrderStatus


class ClientMessage(InputModel):
    """The only thing a client has to say: that it is still there."""

    action: Literal["ping"]
