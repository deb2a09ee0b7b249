"""The second wall for webhooks of organisations: PostgreSQL itself shows an owner their own rows, whatever a query forgot."""

from typing import Any

from ..database import session_setting
from ..database.privileges import isolate_rows, stop_isolating_rows

#: Of a worker's transaction that deletes what is old, whosever it is. It shows nothing that is younger than a day.
CLEANING = "app.webhook_cleaning"
_OWNED = ("webhook_endpoints", "webhook_messages")
#: Table to (its column, the table that says whose a row is).
_BELOW = {
    "webhook_deliveries": ("endpoint_id", "webhook_endpoints"),
    "webhook_attempts": ("delivery_id", "webhook_deliveries"),
}
_OLD = f"{session_setting(CLEANING)} = 'on' AND created_at < now() - interval '1 day'"


def protect_webhooks(op: Any, *, setting: str = "app.tenant_id") -> None:
    """Let each transaction see and write only the rows of the owner that it was bound to; without one, none.

    `Webhooks(owner_setting=...)` names the same setting, so that workers bind it.

    Args:
        op: `alembic.op`.
        setting: of the session that says which owner it was bound to.
    """
    for table in _OWNED:
        isolate_rows(op, table, "owner_id", setting=setting)
    for table, (column, parent) in _BELOW.items():
        # The policy of the parent holds in here as well. All of it is constant.
        seen = f"EXISTS (SELECT FROM {parent} AS parent WHERE parent.id = {column})"  # nosec B608
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_isolation ON {table} USING ({seen}) WITH CHECK ({seen})")
    for command in ("SELECT", "DELETE"):
        name = f"webhook_messages_old_{command.lower()}"
        op.execute(f"CREATE POLICY {name} ON webhook_messages FOR {command} USING ({_OLD})")


def unprotect_webhooks(op: Any) -> None:
    """Undo `protect_webhooks`."""
    for command in ("select", "delete"):
        op.execute(f"DROP POLICY webhook_messages_old_{command} ON webhook_messages")
    for table in (*reversed(_BELOW), *reversed(_OWNED)):
        stop_isolating_rows(op, table)
