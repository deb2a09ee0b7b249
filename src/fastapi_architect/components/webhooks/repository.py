"""Queries for endpoints and deliveries, as their owners ask."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Select, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import Filter, Order, Repository, equals
from .models import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage

#: A delivery that is pending for longer was forgotten; it may be delivered again.
FORGOTTEN_AFTER = timedelta(days=3)
ATTEMPTS_SHOWN = 50


class EndpointRepository(Repository[WebhookEndpoint]):
    """The endpoints of one owner; there are no others."""

    model = WebhookEndpoint
    orders: ClassVar[Mapping[str, Order]] = {"newest": Order(WebhookEndpoint.created_at, descending=True)}
    missing = "There is no such endpoint."

    def __init__(self, session: AsyncSession, owner_id: UUID) -> None:
        super().__init__(session)
        self._owner_id = owner_id

    def visible(self) -> Select[WebhookEndpoint]:
        """Return the query of the owner's endpoints."""
        return super().visible().where(WebhookEndpoint.owner_id == self._owner_id)

    async def count_locked(self) -> int:
        """Return how many there are, and let nobody else count until this transaction ends."""
        await self._session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:owner, 0))"),
            {"owner": f"webhook-endpoints:{self._owner_id}"},
        )
        statement = select(func.count()).select_from(self.visible().subquery())
        return (await self._session.execute(statement)).scalar_one()

    async def delete(self, endpoint: WebhookEndpoint) -> None:
        """Delete an endpoint with the log of its deliveries."""
        await self._session.delete(endpoint)


class DeliveryRepository(Repository[WebhookDelivery]):
    """The deliveries to one endpoint, which was found in the repository of its owner."""

    model = WebhookDelivery
    orders: ClassVar[Mapping[str, Order]] = {"newest": Order(WebhookDelivery.created_at, descending=True)}
    filters: ClassVar[Mapping[str, Filter]] = {"state": equals(WebhookDelivery.state)}
    missing = "There is no such delivery."

    def __init__(self, session: AsyncSession, endpoint: WebhookEndpoint) -> None:
        super().__init__(session)
        self._endpoint = endpoint

    def visible(self) -> Select[WebhookDelivery]:
        """Return the query of the endpoint's deliveries."""
        return super().visible().where(WebhookDelivery.endpoint_id == self._endpoint.id)

    async def message_of(self, delivery: WebhookDelivery) -> WebhookMessage:
        """Return what was to be told."""
        return await self._session.get_one(WebhookMessage, delivery.message_id)

    async def log_of(self, delivery: WebhookDelivery) -> Sequence[WebhookAttempt]:
        """Return the last attempts, oldest first."""
        statement = (
            select(WebhookAttempt)
            .where(WebhookAttempt.delivery_id == delivery.id)
            .order_by(WebhookAttempt.id.desc())
            .limit(ATTEMPTS_SHOWN)
        )
        return list(reversed((await self._session.execute(statement)).scalars().all()))

    async def begin_again(self, delivery: WebhookDelivery) -> bool:
        """Make a delivery pending that has ended; False: it has not."""
        forgotten = WebhookDelivery.updated_at < func.now() - FORGOTTEN_AFTER
        statement = (
            update(WebhookDelivery)
            .where(
                WebhookDelivery.id == delivery.id,
                (WebhookDelivery.state != DeliveryState.PENDING) | forgotten,
            )
            .values(state=DeliveryState.PENDING, reason=None, delivered_at=None)
            .returning(WebhookDelivery.id)
            .execution_options(synchronize_session=False)
        )
        return (await self._session.execute(statement)).scalar_one_or_none() is not None
