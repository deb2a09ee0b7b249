"""The worker's side: one message becomes deliveries, and each of them is attempted until it is accepted or given up."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from ..database import Database, bind_worker_setting
from ..outbox import HandlerContext, Priority, Retries, RetryLater, add_event, handles
from ..problem_details import ServiceError
from . import deliveries
from .component import Webhooks
from .deliveries import Pending
from .models import DeliveryState, WebhookAttempt
from .row_level_security import CLEANING
from .sending import DELIVER, FAN_OUT
from .signing import secret_of, sign

logger = logging.getLogger(__name__)

#: About a day and a half, which is longer than a night in which nobody looks.
RETRIES = Retries(attempts=14, first=10, longest=12 * 3600)
#: An endpoint may ask for a pause, and not for one that outlasts its message.
LONGEST_PAUSE = timedelta(hours=6)
SHOWN = 500
MOST_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call."""

    status: int | None
    beginning: str | None
    error: str | None
    retry_after: timedelta | None = None


@handles(FAN_OUT, priority=Priority.LOW)
def fan_out(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Begin a delivery to each endpoint that wants the message."""
    _bind(context, payload)
    for delivery_id in deliveries.fan_out(context.session, UUID(payload["message_id"])):
        add_event(context.session, DELIVER, {**payload, "delivery_id": str(delivery_id)})


@handles(DELIVER, retries=RETRIES, priority=Priority.LOW)
def deliver(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Call an endpoint once."""
    webhooks = context.component(Webhooks)
    _bind(context, payload)
    pending = deliveries.find_pending(context.session, UUID(payload["delivery_id"]))
    # No transaction is open while a stranger's server answers.
    context.session.rollback()
    if pending is None:
        return
    if not pending.enabled:
        deliveries.end(context.session, pending, DeliveryState.FAILED, "the endpoint is disabled")
        return
    answer = _call(context, webhooks, pending)
    if answer.error is None:
        deliveries.note_success(context.session, pending)
        deliveries.end(context.session, pending, DeliveryState.DELIVERED, None)
        return
    _failed(context, webhooks, pending, answer)


def _failed(context: HandlerContext, webhooks: Webhooks, pending: Pending, answer: Answer) -> None:
    # In a transaction of its own: the handler's is rolled back when it raises.
    with _session_of(context, pending) as session:
        if answer.status == 410:
            disabled = deliveries.disable(session, pending, "the endpoint answered 410 Gone")
        else:
            after = timedelta(days=webhooks.settings.disable_after_days)
            disabled = deliveries.note_failure(session, pending, after)
        if disabled and webhooks.disabled_topic is not None:
            owner = {"endpoint_id": str(pending.endpoint_id), "owner_id": str(pending.owner_id)}
            add_event(session, webhooks.disabled_topic, owner)
    if disabled or context.is_last_attempt:
        # Its owner sees it and can have it delivered again; the operator need not hear of a stranger's server.
        deliveries.end(context.session, pending, DeliveryState.FAILED, answer.error)
        return
    raise RetryLater(answer.error or "failed", answer.retry_after)


def _bind(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Let row-level security show the owner's rows to the session of the handler, where there is such a wall."""
    setting = context.component(Webhooks).owner_setting
    if setting is not None:
        bind_worker_setting(context.session, setting, payload["owner_id"])


@contextmanager
def _session_of(context: HandlerContext, pending: Pending) -> Iterator[Session]:
    """Give a session of its own, with the same rows in sight, and commit at the end."""
    setting = context.component(Webhooks).owner_setting
    with context.component(Database).sync_sessions.begin() as session:
        if setting is not None:
            bind_worker_setting(session, setting, pending.owner_id)
        yield session


def _call(context: HandlerContext, webhooks: Webhooks, pending: Pending) -> Answer:
    settings = webhooks.settings
    keys = [settings.signing_key] + (
        [settings.previous_signing_key] if settings.previous_signing_key is not None else []
    )
    secrets = [
        secret_of(key, pending.endpoint_id, version) for version in pending.secret_versions for key in keys
    ]
    now = datetime.now(UTC)
    message = sign(pending.message_id, pending.body, secrets, now)
    began = time.monotonic()
    answer = _post(webhooks, pending.url, message.headers, message.body)
    attempt = WebhookAttempt(
        id=uuid7(),
        delivery_id=pending.delivery_id,
        began_at=now,
        milliseconds=round((time.monotonic() - began) * 1000),
        status=answer.status,
        answer=answer.beginning,
        error=answer.error,
    )
    with _session_of(context, pending) as session:
        deliveries.note_attempt(session, attempt)
    return answer


def _post(webhooks: Webhooks, url: str, headers: dict[str, str], body: bytes) -> Answer:
    try:
        # A redirect is an answer like any other that is not 2xx: it is not followed.
        response = webhooks.client.request(
            "POST", url, headers=headers, content=body, retry=False, redirects=0
        )
    except ServiceError as error:
        return Answer(None, None, error.detail)
    beginning = response.content[: 4 * SHOWN].decode(errors="replace").replace("\x00", "")[:SHOWN]
    if response.is_success:
        return Answer(response.status_code, beginning, None)
    reason = f"the endpoint answered {response.status_code}"
    return Answer(response.status_code, beginning, reason, _pause(response.headers.get("retry-after", "")))


def _pause(text: str) -> timedelta | None:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return min(LONGEST_PAUSE, timedelta(seconds=max(1, int(text))))


@handles("webhooks.clean", priority=Priority.LOW)
def clean(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Delete old messages and the log of their deliveries."""
    keep = timedelta(days=context.component(Webhooks).settings.keep_days)
    bind_worker_setting(context.session, CLEANING, "on")
    deleted = deliveries.delete_old(context.session, keep, MOST_AT_ONCE)
    logger.info("old webhooks were deleted", extra={"messages": deleted})
