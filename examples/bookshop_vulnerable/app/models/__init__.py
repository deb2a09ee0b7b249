"""All models; importing this package fills the metadata."""

from app.models.base import Base
from app.models.catalogue import ApiClient, Author, Book, Cover, Edition
from app.models.order import Order, OrderItem, PaymentEvent, WishlistItem
from app.models.review import Review
from app.models.user import ActivityLog, PasswordReset, Preference, RevokedToken, User

__all__ = [
    "ActivityLog",
    "ApiClient",
    "Author",
    "Base",
    "Book",
    "Cover",
    "Edition",
    "Order",
    "OrderItem",
    "PasswordReset",
    "PaymentEvent",
    "Preference",
    "Review",
    "RevokedToken",
    "User",
    "WishlistItem",
]
