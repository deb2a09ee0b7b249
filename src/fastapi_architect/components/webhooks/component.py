"""Webhooks as a component."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from fastapi import Depends, FastAPI

from ..access import current_principal, require
from ..outbox import Periodic
from ..outgoing_http import GuardedClient, OutgoingHttpSettings
from .router import router
from .rules import TEST_EVENT, HasWebhookRules, WebhookRules, guard_of
from .settings import WebhookSettings


class Webhooks(HasWebhookRules):
    """Tells endpoints that users name what has happened.

    Args:
        settings: WEBHOOK_*.
        event_types: descriptions of what can be subscribed to, by type; components add theirs by `webhook_events`.
        permission: what a caller needs to manage endpoints, such as `webhooks:manage`; None: to be known.
        guard: a dependency that says the same and more: for which organisation a caller acts, which then owns the
            endpoints: `require_in_tenant("webhooks:manage")`.
        owner_setting: the setting of a session that row-level security reads, such as `app.tenant_id`: workers bind it to
            the owner of what they deliver. None: there is no such wall.
        disabled_topic: an event of the outbox that is added when an endpoint is disabled for its failures, so that
            a handler of yours can write to its owner; the payload has `endpoint_id` and `owner_id`.
        prefix: of the routes.

    Raises:
        ValueError: both a permission and a guard.
    """

    task_modules: Sequence[str] = (f"{__package__}.tasks",)
    schedule: Mapping[str, Periodic] = {
        "webhooks.clean": Periodic("webhooks.clean", every=timedelta(hours=6))
    }

    def __init__(
        self,
        settings: WebhookSettings,
        *,
        event_types: Mapping[str, str] | None = None,
        permission: str | None = None,
        guard: Callable[..., Any] | None = None,
        owner_setting: str | None = None,
        disabled_topic: str | None = None,
        prefix: str = "/api/v1",
    ) -> None:
        types = {TEST_EVENT: "Sent when you ask for it."} | dict(event_types or {})
        super().__init__(WebhookRules(settings, types))
        if guard is not None and permission is not None:
            raise ValueError("the guard asks for permissions already: leave `permission` out")
        self.settings = settings
        self.guard = guard or (current_principal if permission is None else require(permission))
        self.owner_setting = owner_setting
        self.disabled_topic = disabled_topic
        self.prefix = prefix
        self._client: GuardedClient | None = None
        self._lock = threading.Lock()

    def install(self, app: FastAPI) -> None:
        """Add the routes."""
        app.include_router(router, prefix=self.prefix, dependencies=[Depends(self.guard)])

    @property
    def client(self) -> GuardedClient:
        """The client of this worker process, made on first use: after the fork."""
        with self._lock:
            if self._client is None:
                self._client = GuardedClient(_client_settings(self.settings), guard=guard_of(self.settings))
            return self._client

    def open_in_worker(self) -> None:
        """Nothing yet: the client is made when it is needed."""

    def close_in_worker(self) -> None:
        """Close the connections of this process."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None


def _client_settings(settings: WebhookSettings) -> OutgoingHttpSettings:
    return OutgoingHttpSettings(
        environment=settings.environment,
        ports=settings.ports,
        allow_plain_http=settings.allow_plain_http,
        allowed_networks=(),
        connect_timeout=min(5.0, settings.timeout),
        read_timeout=settings.timeout,
        total_timeout=settings.timeout,
        max_answer_bytes=max(1, settings.max_answer_bytes),
        # The outbox tries again, and one owner's broken endpoint must not close a host that others use too.
        attempts=1,
        breaker_failures=1000,
        user_agent="webhooks/1.0",
    )
