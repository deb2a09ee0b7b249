"""What workers do for scans. Each handler runs at least once for its event; what it writes happens once."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from fastapi_architect.components.database import Database
from fastapi_architect.components.outbox import (
    HandlerContext,
    OutboxEvent,
    Priority,
    Retries,
    handles,
)
from fastapi_architect.components.uploads import Uploads

from .models import ScanPriority, ScanState
from .transitions import bound, give_up
from .work import ARCHIVE_LEFT, REAP, REQUESTED, REVIEWED, ROOT, Work
from .working import complete_scan, open_scan, review_one_root

#: A scan that has died three times would die a fourth time.
ATTEMPTS = Retries(attempts=3, first=5, longest=60)
#: So far back dead letters are looked at; a reaper that was away longer finds them in the list of dead letters.
LOOKS_BACK = timedelta(days=7)
PRIORITIES = {
    ScanPriority.HIGH: Priority.HIGH,
    ScanPriority.NORMAL: Priority.NORMAL,
    ScanPriority.LOW: Priority.LOW,
}


def open_requested_scan(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Open a scan."""
    open_scan(context, Work.from_payload(payload))


def review_root_of_scan(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Review one of several application roots of a scan."""
    review_one_root(context, Work.from_payload(payload))


# A topic has one place in the queues: what differs is what a scan overtakes, and nothing else.
for scan_priority, priority in PRIORITIES.items():
    handles(REQUESTED[scan_priority], retries=ATTEMPTS, priority=priority)(open_requested_scan)
    handles(ROOT[scan_priority], retries=ATTEMPTS, priority=priority)(review_root_of_scan)


@handles(REVIEWED, retries=ATTEMPTS, priority=Priority.HIGH)
def complete_reviewed_scan(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Complete a scan all of whose application roots have been reviewed."""
    complete_scan(context, Work.from_payload(payload))


@handles(ARCHIVE_LEFT, priority=Priority.LOW)
def delete_archive(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Delete the bytes of an archive that no scan needs any more."""
    asyncio.run(context.component(Uploads).storage.delete(payload["storage_key"]))


@handles(REAP, priority=Priority.HIGH)
def reap(context: HandlerContext, _: dict[str, Any]) -> None:
    """End the scans whose work is among the dead letters: whatever killed their workers could not do it."""
    topics = [*REQUESTED.values(), *ROOT.values(), REVIEWED]
    statement = select(OutboxEvent.payload, OutboxEvent.last_error).where(
        OutboxEvent.dead_at > func.now() - LOOKS_BACK, OutboxEvent.topic.in_(topics)
    )
    dead = context.session.execute(statement).all()
    context.session.rollback()
    for described, error in dead:
        work = Work.from_payload(described)
        with bound(context.component(Database), work) as session:
            give_up(
                session,
                work,
                ScanState.DEAD,
                "attempts-exhausted",
                f"Every attempt died, the last one with: {error or 'no word'}. An operator can look into it; try it again.",
            )
