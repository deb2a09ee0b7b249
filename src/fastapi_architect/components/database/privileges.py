"""What revisions say about the application's role. Each function takes Alembic's `op`, and is called by a revision.

The tables belong to the role that migrates. The application connects as another one, which can read and write rows, and can
neither change a table nor pass row-level security.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import DDL

from .session_settings import session_setting

_GRANTS = (
    "GRANT USAGE ON SCHEMA public TO %(role)s",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %(role)s",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO %(role)s",
)
_REVOCATIONS = (
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE USAGE, SELECT ON SEQUENCES FROM %(role)s",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT, INSERT, UPDATE, DELETE ON TABLES FROM %(role)s",
    "REVOKE USAGE ON SCHEMA public FROM %(role)s",
)
# The role has the name that the first revision gave it, and stands in the default privileges since.
_APPEND_ONLY = """
DO $$
DECLARE grantee oid;
BEGIN
    FOR grantee IN
        SELECT DISTINCT granted.grantee
        FROM pg_default_acl, aclexplode(defaclacl) AS granted
        WHERE defaclobjtype = 'r' AND granted.grantee NOT IN (0, defaclrole)
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE ON %(table)s FROM %%s', grantee::regrole);
    END LOOP;
END $$
"""
_ISOLATION = (
    "ALTER TABLE %(table)s ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY %(policy)s ON %(table)s USING (%(column)s = %(value)s) WITH CHECK (%(column)s = %(value)s)",
)
_END_OF_ISOLATION = (
    "DROP POLICY %(policy)s ON %(table)s",
    "ALTER TABLE %(table)s DISABLE ROW LEVEL SECURITY",
)


def grant_to_application(op: Any, role: str) -> None:
    """Let the application's role work with every table that the migrating role makes from now on: the first revision.

    Args:
        op: Alembic's operations.
        role: it exists already; `prepare_database` makes it.
    """
    _run(op, _GRANTS, role=_quoted(op, role))


def revoke_from_application(op: Any, role: str) -> None:
    """Undo `grant_to_application`."""
    _run(op, _REVOCATIONS, role=_quoted(op, role))


def make_append_only(op: Any, table: str) -> None:
    """Let the application add rows to the table and read them, and never change or delete one."""
    _run(op, (_APPEND_ONLY,), table=_quoted(op, table))


def isolate_rows(
    op: Any,
    table: str,
    column: str = "tenant_id",
    *,
    setting: str = "app.tenant_id",
    sql_type: str = "uuid",
) -> None:
    """Show and take only rows whose column equals the setting that `bind_setting` bound; without it there are none.

    The owner of the table is not held to it, so that migrations see every row.
    """
    _run(
        op,
        _ISOLATION,
        table=_quoted(op, table),
        policy=_quoted(op, f"{table}_isolation"),
        column=_quoted(op, column),
        value=session_setting(setting, sql_type),
    )


def stop_isolating_rows(op: Any, table: str) -> None:
    """Undo `isolate_rows`."""
    _run(op, _END_OF_ISOLATION, table=_quoted(op, table), policy=_quoted(op, f"{table}_isolation"))


def _run(op: Any, statements: Iterable[str], **names: str) -> None:
    """Execute statements that name things, which no parameter can stand for."""
    for statement in statements:
        op.execute(DDL(statement, context=names))  # type: ignore[no-untyped-call]


def _quoted(op: Any, name: str) -> str:
    quoted: str = op.get_context().dialect.identifier_preparer.quote_identifier(name)
    if "'" in name or "%" in name or "$" in name:
        raise ValueError(f"{name!r} is an unlikely name")
    return quoted
