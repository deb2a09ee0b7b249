"""What workers do for scans. Each handler runs at least once for its event; what it writes happens once."""

import asyncio
from typing import Any

from fastapi_architect.components.database import Database, bind_worker_setting
from fastapi_architect.components.outbox import HandlerContext, Priority, Retries, handles, notice, unnoticed
from fastapi_architect.components.uploads import Uploads

from ..membership import TENANT
from ..queues import SCANS
from .importing import import_results
from .models import ScanKind, ScanState
from .transitions import give_up
from .work import ARCHIVE_LEFT, PRIORITIES, REAP, REQUESTED, REVIEWED, ROOT, Work
from .working import complete_scan, open_scan, review_one_root

#: A scan that has died three times would die a fourth time.
ATTEMPTS = Retries(attempts=3, first=5, longest=60)
#: Dead letters in one go; the next one comes 15 seconds later.
MOST_AT_ONCE = 100


def open_requested_scan(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Open a scan: unpack its archive, or read what another tool has found."""
    work = Work.from_payload(payload)
    (open_scan if work.kind is ScanKind.ARCHIVE else import_results)(context, work)


def review_root_of_scan(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Review one of several application roots of a scan."""
    review_one_root(context, Work.from_payload(payload))


# A topic has one place in its queue: what differs is what a scan overtakes, and nothing else.
for scan_priority, priority in PRIORITIES.items():
    handles(REQUESTED[scan_priority], retries=ATTEMPTS, queue=SCANS, priority=priority)(open_requested_scan)
    handles(ROOT[scan_priority], retries=ATTEMPTS, queue=SCANS, priority=priority)(review_root_of_scan)


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
    """End the scans whose work is among the dead letters: whatever killed their workers could not do it.

    Each dead letter is looked at once, in a transaction of its own: however many there are, a look costs nothing.
    """
    topics = [*REQUESTED.values(), *ROOT.values(), REVIEWED]
    database = context.component(Database)
    for _attempt in range(MOST_AT_ONCE):
        with database.sync_sessions.begin() as session:
            dead = next(iter(unnoticed(session, topics, 1)), None)
            if dead is None:
                return
            work = Work.from_payload(dead.payload)
            bind_worker_setting(session, TENANT, work.tenant_id)
            give_up(
                session,
                work,
                ScanState.DEAD,
                "attempts-exhausted",
                f"Every attempt died, the last one with: {dead.last_error or 'no word'}. An operator can look into it; "
                "try it again.",
            )
            notice(session, dead.id)
