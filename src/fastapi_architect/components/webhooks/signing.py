"""Signatures after Standard Webhooks (https://www.standardwebhooks.com), and the secrets for them.

A secret is derived from the key of the service, the endpoint and a version: the database holds nothing to steal, and each
endpoint has a secret of its own.
"""

import hmac
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from standardwebhooks import Webhook


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """What is sent to an endpoint."""

    headers: dict[str, str]
    body: bytes


def secret_of(key: SecretStr, endpoint_id: UUID, version: int) -> bytes:
    """Return the secret of an endpoint: 32 bytes that nobody can compute without the key."""
    subject = b"webhook-endpoint\x00" + endpoint_id.bytes + version.to_bytes(4, "big")
    return hmac.digest(key.get_secret_value().encode(), subject, "sha256")


def shown(secret: bytes) -> str:
    """Return the secret as its owner gets it, and as every library for Standard Webhooks takes it."""
    return f"whsec_{b64encode(secret).decode()}"


def body_of(event_type: str, created_at: datetime, data: dict[str, Any]) -> bytes:
    """Return the body of a message: the same bytes at each attempt."""
    body = {"type": event_type, "timestamp": created_at.isoformat(), "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def sign(message_id: UUID, body: bytes, secrets: Sequence[bytes], at: datetime) -> SignedMessage:
    """Sign a message with each of the secrets; a receiver accepts it if it knows one of them.

    Args:
        message_id: the same at each attempt, so that a receiver notices a repetition.
        body: as `body_of` returns it.
        secrets: more than one while a secret or the key is replaced.
        at: the time of this attempt, in UTC; a receiver refuses what is older than some minutes.
    """
    name = f"msg_{message_id.hex}"
    signatures = [Webhook(secret).sign(msg_id=name, timestamp=at, data=body.decode()) for secret in secrets]
    return SignedMessage(
        headers={
            "Content-Type": "application/json",
            "Webhook-Id": name,
            "Webhook-Timestamp": str(int(at.timestamp())),
            "Webhook-Signature": " ".join(signatures),
        },
        body=body,
    )
