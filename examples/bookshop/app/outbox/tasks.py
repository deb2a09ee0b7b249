"""The relay: from the outbox to the queue."""

import logging

from celery import Task, shared_task

from app.auth.tasks import send_password_reset, send_registration_notice, send_verification
from app.orders.tasks import announce_status, send_confirmation
from app.outbox.models import EventKind
from app.outbox.worker_repository import claim_batch, count_dead, delete_processed
from app.tasks import ShopTask
from app.worker_resources import get_sessions

logger = logging.getLogger(__name__)

TASK_OF: dict[EventKind, Task] = {
    EventKind.REGISTERED: send_verification,
    EventKind.REGISTRATION_REPEATED: send_registration_notice,
    EventKind.PASSWORD_RESET_REQUESTED: send_password_reset,
    EventKind.ORDER_PLACED: send_confirmation,
    EventKind.ORDER_STATUS_CHANGED: announce_status,
}


@shared_task(base=ShopTask, name="outbox.relay", soft_time_limit=40, time_limit=60)
def relay() -> None:
    """Put the open events into the queue.

    They are claimed and committed first: if this process dies before it has queued them, the claim runs out
    and they are queued again. Nothing is lost, and what arrives twice is done once.
    """
    with get_sessions().begin() as session:
        events = claim_batch(session)
    for event in events:
        TASK_OF[EventKind(event.kind)].delay(str(event.id))


@shared_task(base=ShopTask, name="outbox.sweep", soft_time_limit=40, time_limit=60)
def sweep() -> None:
    """Delete what is done with, and complain about what was given up."""
    with get_sessions().begin() as session:
        delete_processed(session)
        dead = count_dead(session)
    if dead:
        logger.error("outbox events were given up", extra={"events": dead})
