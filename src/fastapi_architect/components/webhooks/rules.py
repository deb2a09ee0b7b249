"""What may be subscribed to, and which URLs may be named."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol, runtime_checkable

from ..outgoing_http import AddressGuard, UrlRules, public_address_or
from ..problem_details.errors import InvalidInput
from ..service.component import Component
from .settings import WebhookSettings

TEST_EVENT = "webhook.test"


@runtime_checkable
class HasWebhookEvents(Protocol):
    """A component that tells of something: `webhook_events = {"order.placed": "An order was placed."}`."""

    @property
    def webhook_events(self) -> Mapping[str, str]:
        """Descriptions of the events by their type."""


@dataclass(frozen=True, slots=True)
class WebhookRules:
    """What the owner of an endpoint may ask for."""

    settings: WebhookSettings
    event_types: Mapping[str, str]

    def check_url(self, url: str) -> str:
        """Return the URL, if it may be called by how it is written; where it leads is checked at each delivery.

        Raises:
            InvalidInput: it may not.
        """
        schemes = {"https", "http"} if self.settings.allow_plain_http else {"https"}
        host = UrlRules(frozenset(schemes), self.settings.ports).check(url).host
        try:
            address = ip_address(host)
        except ValueError:
            return url
        guard_of(self.settings)(address)
        return url

    def check_event_types(self, event_types: list[str] | None) -> list[str] | None:
        """Return the types without repetitions.

        Raises:
            InvalidInput: there is no such type.
        """
        if event_types is None:
            return None
        unknown = sorted(set(event_types) - set(self.event_types))
        if unknown:
            raise InvalidInput(f"There are no events of these types: {', '.join(unknown)}.")
        return sorted(set(event_types))


class HasWebhookRules(Component):
    """The part of the component that its routes ask for."""

    def __init__(self, rules: WebhookRules) -> None:
        self.rules = rules


def guard_of(settings: WebhookSettings) -> AddressGuard:
    """Return the guard for addresses that users name: not the one for addresses that the operator configured."""
    return public_address_or(settings.allowed_networks)
