"""What workers do for reports: after everything else, as somebody can wait for a report longer than for a gate."""

from typing import Any
from uuid import UUID

from fastapi_architect.components.database import Database, bind_worker_setting
from fastapi_architect.components.outbox import HandlerContext, Priority, Retries, handles, notice, unnoticed

from ..membership import TENANT
from ..queues import REPORTS
from .component import Reports
from .making import fail, make_report, queued_report
from .work import REAP, REQUESTED

#: Dead letters in one go; the next one comes a minute later.
MOST_AT_ONCE = 100


@handles(REQUESTED, retries=Retries(attempts=3, first=5, longest=60), queue=REPORTS, priority=Priority.LOW)
def make_requested_report(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Make a report."""
    make_report(
        context.component(Database),
        context.session,
        UUID(payload["tenant_id"]),
        UUID(payload["report_id"]),
        context.component(Reports).settings,
    )


@handles(REAP, priority=Priority.LOW)
def reap(context: HandlerContext, _: dict[str, Any]) -> None:
    """End the reports whose work is among the dead letters: whatever killed their workers could not do it."""
    database, settings = context.component(Database), context.component(Reports).settings
    for _attempt in range(MOST_AT_ONCE):
        with database.sync_sessions.begin() as session:
            dead = next(iter(unnoticed(session, [REQUESTED], 1)), None)
            if dead is None:
                return
            bind_worker_setting(session, TENANT, UUID(dead.payload["tenant_id"]))
            report = queued_report(session, UUID(dead.payload["report_id"]))
            if report is not None:
                why = "Every attempt to make the report died. Ask for it again; if it dies again, tell your operator."
                fail(report, "attempts-exhausted", why, settings)
            notice(session, dead.id)
