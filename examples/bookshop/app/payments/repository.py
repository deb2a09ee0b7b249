"""Queries for payment events."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.payments.models import PaymentEvent
from app.payments.schemas import PaymentKind


class PaymentEventRepository:
    """Remembers which messages have come."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_unless_known(self, provider_event_id: str, order_id: UUID, kind: PaymentKind) -> bool:
        """Remember a message, and say whether it is new."""
        statement = (
            insert(PaymentEvent)
            .values(provider_event_id=provider_event_id, order_id=order_id, kind=kind)
            .on_conflict_do_nothing(index_elements=[PaymentEvent.provider_event_id])
            .returning(PaymentEvent.id)
        )
        return (await self._session.execute(statement)).scalar_one_or_none() is not None
