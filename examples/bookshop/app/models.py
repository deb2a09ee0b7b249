"""All tables, for Alembic to compare."""

from app.auth.models import OneTimeToken, RefreshToken
from app.books.models import Book
from app.database import Base
from app.orders.models import Order, OrderItem
from app.outbox.models import OutboxEvent
from app.payments.models import PaymentEvent
from app.reviews.models import Review
from app.users.models import User

__all__ = [
    "Base",
    "Book",
    "OneTimeToken",
    "Order",
    "OrderItem",
    "OutboxEvent",
    "PaymentEvent",
    "RefreshToken",
    "Review",
    "User",
]
