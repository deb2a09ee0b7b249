"""The second wall of a log with tenants: PostgreSQL itself shows a tenant its own events, whatever a query forgot to ask for."""

from typing import Any

from ..database import session_setting
from .models import AuditEvent

#: Of an operator's transaction, who sees the events of every tenant.
OVERVIEW = "app.audit_overview"
_TABLE = AuditEvent.__tablename__


def protect_audit_log(op: Any, *, setting: str = "app.tenant_id") -> None:
    """Show a transaction the events of the tenant that it was bound to, and let it add to them; without one, those of none.

    Args:
        op: `alembic.op`.
        setting: of the session that says which tenant it was bound to.
    """
    tenant = session_setting(setting, "uuid")
    seen = f"tenant_id IS NOT DISTINCT FROM {tenant} OR {session_setting(OVERVIEW)} = 'on'"
    op.execute(f"ALTER TABLE {_TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY audit_events_seen ON {_TABLE} FOR SELECT USING ({seen})")
    # Somebody who acts for an organisation may do what is the service's own affair.
    op.execute(
        f"CREATE POLICY audit_events_added ON {_TABLE} FOR INSERT "
        f"WITH CHECK (tenant_id IS NULL OR tenant_id = {tenant})"
    )


def unprotect_audit_log(op: Any) -> None:
    """Undo `protect_audit_log`."""
    for policy in ("audit_events_seen", "audit_events_added"):
        op.execute(f"DROP POLICY {policy} ON {_TABLE}")
    op.execute(f"ALTER TABLE {_TABLE} DISABLE ROW LEVEL SECURITY")
