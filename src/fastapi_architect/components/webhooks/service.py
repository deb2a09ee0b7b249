"""What the owners of endpoints may do."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from ..database import PageQuery, Slice
from ..outbox import add_event
from ..problem_details.errors import Conflict
from ..service.acts import Act, Acts
from ..service.principal import Principal
from .models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from .repository import DeliveryRepository, EndpointRepository
from .rules import TEST_EVENT, WebhookRules
from .sending import DELIVER
from .signing import secret_of, shown

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeliveryStory:
    """A delivery with what was sent, and its attempts."""

    delivery: WebhookDelivery
    message: WebhookMessage
    log: list[WebhookAttempt]


class WebhookService:
    """Endpoints of the caller's organisation, or of the caller where there are none.

    Args:
        session: of the request.
        rules: what may be asked for.
        principal: who asks; the guard of the routes has let them in.
        acts: tells who wants to know of changes.
    """

    def __init__(
        self, session: AsyncSession, rules: WebhookRules, principal: Principal, acts: Acts | None = None
    ) -> None:
        self._acts = acts or Acts()
        self._session = session
        self._rules = rules
        self._principal = principal
        self._owner_id = principal.tenant_id or principal.id
        self._endpoints = EndpointRepository(session, self._owner_id)

    async def create(
        self, url: str, description: str, event_types: list[str] | None
    ) -> tuple[WebhookEndpoint, str]:
        """Create an endpoint, and return it with its secret, which is not shown again.

        Raises:
            InvalidInput: the URL may not be called, or there is no such event.
            Conflict: there are too many already.
        """
        endpoint = WebhookEndpoint(
            id=uuid7(),
            owner_id=self._owner_id,
            created_by=self._principal.id,
            url=self._rules.check_url(url),
            description=description,
            event_types=self._rules.check_event_types(event_types),
            secret_version=1,
        )
        if await self._endpoints.count_locked() >= self._rules.settings.endpoints_per_owner:
            raise Conflict(f"There are {self._rules.settings.endpoints_per_owner} endpoints already.")
        await self._endpoints.add(endpoint)
        self._tell("webhook_endpoint.created", endpoint.id, **_shown(endpoint))
        await self._session.commit()
        return endpoint, self._secret(endpoint)

    async def list_endpoints(self, query: PageQuery) -> Slice[WebhookEndpoint]:
        """Return a page of endpoints."""
        return await self._endpoints.list(query)

    async def read(self, endpoint_id: UUID) -> WebhookEndpoint:
        """Return an endpoint.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        return await self._endpoints.get(endpoint_id)

    async def change(self, endpoint_id: UUID, changes: dict[str, Any]) -> WebhookEndpoint:
        """Change an endpoint.

        Args:
            endpoint_id: which one.
            changes: of url, description, event_types and enabled; what is missing stays.

        Raises:
            NotFound: there is none, or it is somebody else's.
            InvalidInput: the URL may not be called, or there is no such event.
        """
        endpoint = await self._endpoints.get_locked(endpoint_id)
        if changes.get("url") is not None:
            endpoint.url = self._rules.check_url(changes["url"])
        if changes.get("description") is not None:
            endpoint.description = changes["description"]
        if "event_types" in changes:
            endpoint.event_types = self._rules.check_event_types(changes["event_types"])
        if changes.get("enabled") is not None:
            _enable(endpoint, enabled=changes["enabled"])
        self._tell("webhook_endpoint.changed", endpoint_id, fields=sorted(changes), **_shown(endpoint))
        await self._session.commit()
        return endpoint

    async def delete(self, endpoint_id: UUID) -> None:
        """Delete an endpoint with the log of its deliveries; what is on its way to it is dropped.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        endpoint = await self._endpoints.get(endpoint_id)
        await self._endpoints.delete(endpoint)
        self._tell("webhook_endpoint.deleted", endpoint_id, **_shown(endpoint))
        await self._session.commit()

    async def rotate_secret(self, endpoint_id: UUID) -> tuple[str, datetime]:
        """Give an endpoint a new secret; return it, and until when the one before is used too.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        endpoint = await self._endpoints.get_locked(endpoint_id)
        until = datetime.now(UTC) + timedelta(hours=self._rules.settings.rotation_hours)
        endpoint.secret_version += 1
        endpoint.previous_secret_until = until
        self._tell("webhook_endpoint.rotated", endpoint_id)
        await self._session.commit()
        return self._secret(endpoint), until

    async def send_test(self, endpoint_id: UUID) -> UUID:
        """Send a message to one endpoint that says nothing; return its identifier.

        Raises:
            NotFound: there is none, or it is somebody else's.
            Conflict: it is disabled.
        """
        endpoint = await self._endpoints.get(endpoint_id)
        _require_enabled(endpoint)
        message = WebhookMessage(
            id=uuid7(),
            owner_id=self._owner_id,
            event_type=TEST_EVENT,
            data={"endpoint_id": str(endpoint_id)},
            created_at=datetime.now(UTC),
        )
        self._session.add(message)
        await self._session.flush()
        delivery = WebhookDelivery(
            id=uuid7(), endpoint_id=endpoint_id, message_id=message.id, event_type=TEST_EVENT
        )
        self._session.add(delivery)
        self._deliver(delivery.id)
        self._tell("webhook_endpoint.tested", endpoint_id)
        await self._session.commit()
        return message.id

    async def list_deliveries(self, endpoint_id: UUID, query: PageQuery) -> Slice[WebhookDelivery]:
        """Return a page of an endpoint's deliveries.

        Raises:
            NotFound: there is no such endpoint, or it is somebody else's.
        """
        return await (await self._deliveries(endpoint_id)).list(query)

    async def read_delivery(self, endpoint_id: UUID, delivery_id: UUID) -> DeliveryStory:
        """Return a delivery with what was sent and every attempt.

        Raises:
            NotFound: there is none to this endpoint, or it is somebody else's.
        """
        deliveries = await self._deliveries(endpoint_id)
        delivery = await deliveries.get(delivery_id)
        log = await deliveries.log_of(delivery)
        return DeliveryStory(delivery, await deliveries.message_of(delivery), list(log))

    async def deliver_again(self, endpoint_id: UUID, delivery_id: UUID) -> UUID:
        """Deliver again what has ended; return the identifier of the message, which is the same as before.

        Raises:
            NotFound: there is none to this endpoint, or it is somebody else's.
            Conflict: it is still on its way, or the endpoint is disabled.
        """
        endpoint = await self._endpoints.get(endpoint_id)
        _require_enabled(endpoint)
        deliveries = DeliveryRepository(self._session, endpoint)
        delivery = await deliveries.get(delivery_id)
        if not await deliveries.begin_again(delivery):
            raise Conflict("This delivery is still on its way.")
        self._deliver(delivery_id)
        self._tell("webhook_endpoint.redelivered", endpoint_id, delivery_id=str(delivery_id))
        await self._session.commit()
        return delivery.message_id

    async def _deliveries(self, endpoint_id: UUID) -> DeliveryRepository:
        return DeliveryRepository(self._session, await self._endpoints.get(endpoint_id))

    def _secret(self, endpoint: WebhookEndpoint) -> str:
        return shown(secret_of(self._rules.settings.signing_key, endpoint.id, endpoint.secret_version))

    def _deliver(self, delivery_id: UUID) -> None:
        payload = {"delivery_id": str(delivery_id), "owner_id": str(self._owner_id)}
        add_event(self._session, DELIVER, payload)

    def _tell(self, action: str, endpoint_id: UUID, **details: Any) -> None:
        act = Act(action, self._principal, "webhook_endpoint", endpoint_id, details=details)
        self._acts.tell(self._session, act)
        logger.info(action, extra={"endpoint_id": str(endpoint_id), "by": str(self._principal.id)})


def _shown(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """To whom it leads, and no more of the URL: receivers put tokens into its path."""
    return {"host": urlsplit(endpoint.url).hostname, "event_types": endpoint.event_types}


def _enable(endpoint: WebhookEndpoint, *, enabled: bool) -> None:
    endpoint.failing_since = None
    endpoint.disabled_at = None if enabled else datetime.now(UTC)
    endpoint.disabled_reason = None if enabled else "disabled by its owner"


def _require_enabled(endpoint: WebhookEndpoint) -> None:
    if not endpoint.enabled:
        raise Conflict("This endpoint is disabled. Enable it first.")
