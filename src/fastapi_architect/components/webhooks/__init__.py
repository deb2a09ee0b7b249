"""Outgoing webhooks: signed, repeated, logged, and never led inside."""

from .component import Webhooks
from .models import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from .row_level_security import protect_webhooks, unprotect_webhooks
from .rules import HasWebhookEvents, WebhookRules
from .sending import send_webhook
from .service import WebhookService
from .settings import WebhookSettings
from .signing import SignedMessage, secret_of, shown, sign

__all__ = [
    "DeliveryState",
    "HasWebhookEvents",
    "SignedMessage",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookMessage",
    "WebhookRules",
    "WebhookService",
    "WebhookSettings",
    "Webhooks",
    "protect_webhooks",
    "secret_of",
    "send_webhook",
    "shown",
    "sign",
    "unprotect_webhooks",
]
