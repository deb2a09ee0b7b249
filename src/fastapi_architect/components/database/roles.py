"""The two roles of a service: one that owns and migrates the tables, and one that the application is."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

#: Keeps two that prepare at once from making the same role.
_LOCK = 7_260_531_077


@dataclass(frozen=True)
class Login:
    """A role and its password; without one, the server has to know who connects by other means."""

    role: str
    password: str = ""


def prepare_database(superuser_url: str, name: str, *, owner: Login, application: Login) -> None:
    """Make the roles and the database where they are missing, for development, tests and the first deployment.

    Args:
        superuser_url: of any database of the server.
        name: of the database.
        owner: migrates, and owns database and tables.
        application: reads and writes rows, after a migration called `grant_to_application`.
    """
    with psycopg.connect(_libpq_url(superuser_url), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        for login in (owner, application):
            prepare_role(connection, login)
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(owner.role)
                )
            )


def prepare_role(connection: "psycopg.Connection[tuple[object, ...]]", login: Login) -> None:
    """Make the role if it is missing, and take every power from it that a service has no use for."""
    role = sql.Identifier(login.role)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login.role]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
    statement = sql.SQL(
        "ALTER ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}"
    )
    connection.execute(statement.format(role, sql.Literal(login.password or None)))


def excessive_powers(application_url: str) -> list[str]:
    """Return what the role of this URL may do although an application must not; an empty list is right.

    Args:
        application_url: as DATABASE_URL has it.
    """
    with psycopg.connect(_libpq_url(application_url)) as connection:
        return [sentence for sentence, query in _POWERS.items() if _holds(connection, query)]


_POWERS = {
    "it is a superuser": "SELECT rolsuper FROM pg_roles WHERE rolname = current_user",
    "it passes row-level security": "SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user",
    "it makes roles": "SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user",
    "it makes databases": "SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user",
    "it is a member of another role": """
        SELECT EXISTS (
            SELECT FROM pg_auth_members JOIN pg_roles ON pg_roles.oid = member WHERE rolname = current_user
        )
    """,
    "it owns a table, a view or a sequence": """
        SELECT EXISTS (SELECT FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner WHERE rolname = current_user)
    """,
    "it owns the database": """
        SELECT pg_get_userbyid(datdba) = current_user FROM pg_database WHERE datname = current_database()
    """,
    "it makes tables": """
        SELECT bool_or(has_schema_privilege(oid, 'CREATE')) FROM pg_namespace WHERE nspname !~ '^pg_'
    """,
    "it makes schemas": "SELECT has_database_privilege(current_database(), 'CREATE')",
}


def _holds(connection: "psycopg.Connection[tuple[object, ...]]", query: str) -> bool:
    row = connection.execute(query.encode()).fetchone()
    return bool(row and row[0])


def _libpq_url(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
