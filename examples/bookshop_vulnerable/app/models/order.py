"""Orders, their lines, and what the payment provider told us about them."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import DateTime, ForeignKey, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, CreatedAt, IntPk, utc_now
from app.models.catalogue import Book


class OrderItem(Base):
    """One line of an order."""

    __tablename__ = "order_items"

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(Numeric(10, 2))


class Order(Base):
    """What a reader bought."""

    __tablename__ = "orders"

    id: Mapped[IntPk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)
    status: Mapped[str] = mapped_column(String(20), default="placed")
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    total: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    tracking_number: Mapped[str | None] = mapped_column(String(60))
    placed_at: Mapped[datetime] = mapped_column(DateTime(), default=utc_now)  # finding: naive-datetime-column
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=utc_now, index=True)

    items: Mapped[list[OrderItem]] = relationship()


class PaymentEvent(Base):
    """A message of the payment provider; the provider's id makes sure that it counts once."""

    __tablename__ = "payment_events"

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    provider_event_id: Mapped[str] = mapped_column(String(80), unique=True)
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    received_at: Mapped[CreatedAt]


class WishlistItem(Base):
    """A book that a reader wants some day."""

    __tablename__ = "wishlist_items"

    id: Mapped[IntPk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)

    book: Mapped[Book] = relationship()
