"""A server of a stranger on this machine, and the settings by which webhooks may reach it there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from standardwebhooks import Webhook

from fastapi_architect.components.webhooks.tests.conftest import Receiver


def reaching(receiver: Receiver) -> dict[str, str]:
    """Return what lets webhooks reach loopback, which they refuse otherwise."""
    return {
        "WEBHOOK_PORTS": f"[{receiver.port}]",
        "WEBHOOK_ALLOW_PLAIN_HTTP": "true",
        "WEBHOOK_ALLOWED_NETWORKS": '["127.0.0.0/8"]',
    }


def verified(receiver: Receiver, secret: str) -> list[Mapping[str, Any]]:
    """Return the messages that came, as a library of the standard reads them; a wrong signature is an error."""
    return [
        Webhook(secret).verify(each.body, each.headers) and json.loads(each.body)
        for each in receiver.received
    ]
