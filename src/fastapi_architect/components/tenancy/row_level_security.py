"""The second wall: PostgreSQL itself shows a row only to its tenant, whatever a query forgot to ask for.

It holds for every role but the owner of the table and those with BYPASSRLS, so that the service has to connect as another one;
`Tenancy` refuses to start otherwise.
"""

import re
from typing import Any

from ..database.privileges import isolate_rows, stop_isolating_rows

#: Settings of a transaction that the policies read.
TENANT, PRINCIPAL, INVITATION = "app.tenant_id", "app.principal_id", "app.invitation"

_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def protect_by_tenant(op: Any, table: str, *, column: str = "tenant_id") -> None:
    """Let each transaction see and write only the rows of the tenant that it was bound to; without one, none.

    Args:
        op: `alembic.op`.
        table: with a column that says whose a row is.
        column: its name.

    Raises:
        ValueError: a name is not one that needs no quotes.
    """
    isolate_rows(op, _checked(table), _checked(column), setting=TENANT)


def unprotect_by_tenant(op: Any, table: str) -> None:
    """Take the policy of `protect_by_tenant` back."""
    stop_isolating_rows(op, _checked(table))


def protect(op: Any, table: str, visible: str, written: str | None = None) -> None:
    """Show the rows for which a condition holds.

    Args:
        op: `alembic.op`.
        table: its name.
        visible: SQL of our own that no input takes part in.
        written: the same for rows that are written, if it is another one.
    """
    name = _checked(table)
    check = f" WITH CHECK ({written})" if written else ""
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant_isolation ON {name} USING ({visible}){check}")


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name of lower-case letters, digits and underscores")
    return name
