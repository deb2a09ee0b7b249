"""What workers delete, organisation by organisation: each in a transaction of its own, behind its own wall."""

from typing import Any
from uuid import UUID

from fastapi_architect.components.audit_log import record
from fastapi_architect.components.database import Database, bind_worker_setting
from fastapi_architect.components.outbox import HandlerContext, Priority, handles
from fastapi_architect.components.tenancy import every_tenant

from ..membership import TENANT
from .component import SWEEP
from .sweeping import archives_in_use, delete_forgotten_uploads, delete_kept_answers, sweep_organisation


@handles(SWEEP, priority=Priority.LOW)
def sweep(context: HandlerContext, _: dict[str, Any]) -> None:
    """Delete what is old, and write into the log of each organisation how much it was."""
    tenants = every_tenant(context.session)
    # No transaction of this one is open while those of the organisations run.
    context.session.rollback()
    in_use: set[UUID] = set()
    for tenant in tenants:
        with context.component(Database).sync_sessions.begin() as session:
            bind_worker_setting(session, TENANT, tenant)
            swept = sweep_organisation(session)
            if any(swept.values()):
                record(
                    session,
                    "retention.swept",
                    actor=None,
                    tenant_id=tenant,
                    subject_type="organisation",
                    subject_id=tenant,
                    details=swept,
                )
            in_use |= archives_in_use(session)
    delete_forgotten_uploads(context.session, in_use)
    delete_kept_answers(context.session)
