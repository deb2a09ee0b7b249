"""What the payment provider has told."""

from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class PaymentEvent(Base):
    """One message of the payment provider; it may deliver a message twice, and it counts once."""

    __tablename__ = "payment_events"

    provider_event_id: Mapped[str] = mapped_column(String(100), unique=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
