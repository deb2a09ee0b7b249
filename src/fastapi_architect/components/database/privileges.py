"""What revisions say about the application's role. Each function takes Alembic's `op`, and is called by a revision.

The tables belong to the role that migrates. The application connects as another one, which can read and write rows, and can
neither change a table nor pass row-level security.
"""

from typing import Any

from .session_settings import session_setting


def grant_to_application(op: Any, role: str) -> None:
    """Let the application's role work with every table that the migrating role makes from now on: the first revision.

    Args:
        op: Alembic's operations.
        role: it exists already; `prepare_database` makes it.
    """
    quoted = _quoted(op, role)
    op.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
    op.execute(
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {quoted}"
    )
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {quoted}")


def revoke_from_application(op: Any, role: str) -> None:
    """Undo `grant_to_application`."""
    quoted = _quoted(op, role)
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE USAGE, SELECT ON SEQUENCES FROM {quoted}")
    op.execute(
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT, INSERT, UPDATE, DELETE ON TABLES FROM {quoted}"
    )
    op.execute(f"REVOKE USAGE ON SCHEMA public FROM {quoted}")


def make_append_only(op: Any, table: str) -> None:
    """Let the application add rows to the table and read them, and never change or delete one."""
    # The role has the name that the first revision gave it, and stands in the default privileges since.
    op.execute(
        f"""
        DO $$
        DECLARE grantee oid;
        BEGIN
            FOR grantee IN
                SELECT DISTINCT granted.grantee
                FROM pg_default_acl, aclexplode(defaclacl) AS granted
                WHERE defaclobjtype = 'r' AND granted.grantee NOT IN (0, defaclrole)
            LOOP
                EXECUTE format('REVOKE UPDATE, DELETE ON {_quoted(op, table)} FROM %s', grantee::regrole);
            END LOOP;
        END $$
        """
    )


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
    quoted = _quoted(op, table)
    same = f"{_quoted(op, column)} = {session_setting(setting, sql_type)}"
    op.execute(f"ALTER TABLE {quoted} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY {_quoted(op, f'{table}_isolation')} ON {quoted} USING ({same}) WITH CHECK ({same})"
    )


def stop_isolating_rows(op: Any, table: str) -> None:
    """Undo `isolate_rows`."""
    quoted = _quoted(op, table)
    op.execute(f"DROP POLICY {_quoted(op, f'{table}_isolation')} ON {quoted}")
    op.execute(f"ALTER TABLE {quoted} DISABLE ROW LEVEL SECURITY")


def _quoted(op: Any, name: str) -> str:
    quoted: str = op.get_context().dialect.identifier_preparer.quote_identifier(name)
    if "'" in name or "%" in name or "$" in name:
        raise ValueError(f"{name!r} is an unlikely name")
    return quoted
