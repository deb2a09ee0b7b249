"""What workers do for gates, organisation by organisation: each in transactions of its own, behind its own wall."""

from typing import Any

from fastapi_architect.components.database import Database, bind_worker_setting
from fastapi_architect.components.outbox import HandlerContext, Priority, handles
from fastapi_architect.components.tenancy import every_tenant

from ..membership import TENANT
from .changes import AT_ONCE, tell_expired
from .component import EXPIRE


@handles(EXPIRE, priority=Priority.LOW)
def expire(context: HandlerContext, _: dict[str, Any]) -> None:
    """Tell which gates have changed because something is no longer accepted."""
    tenants = every_tenant(context.session)
    # No transaction of this one is open while those of the organisations run.
    context.session.rollback()
    for tenant in tenants:
        looked_at = AT_ONCE
        while looked_at == AT_ONCE:
            with context.component(Database).sync_sessions.begin() as session:
                bind_worker_setting(session, TENANT, tenant)
                looked_at = tell_expired(session)
