"""The application's role can do what an application does, and the tests notice when it can do more."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from alembic.operations import Operations
from psycopg import sql

from fastapi_architect.components.database import Base
from fastapi_architect.components.database.privileges import (
    grant_to_application,
    make_append_only,
    revoke_from_application,
)
from fastapi_architect.components.database.roles import Login, excessive_powers, prepare_database
from fastapi_architect.components.testing.databases import DatabaseTemplates, run_operations
from fastapi_architect.components.testing.servers import PostgresServer, for_sqlalchemy, on_database


def connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def test_the_role_of_the_tests_has_no_power_that_a_service_needs_not(database_url: str) -> None:
    assert excessive_powers(database_url) == []
    with connect(database_url) as connection:
        assert connection.execute(
            "SELECT rolbypassrls, rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (False, False)


def test_it_owns_nothing_and_can_create_nothing(database_url: str) -> None:
    with connect(database_url) as connection:
        for statement in ("CREATE TABLE t ()", "CREATE SCHEMA s", "CREATE ROLE r", "CREATE DATABASE d"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("ALTER TABLE owned_notes ADD COLUMN c integer")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DROP TABLE owned_notes")


@pytest.fixture
def powerful(postgresql_url: str) -> Iterator[DatabaseTemplates]:
    """Roles of this test's own, because other tests rely on theirs."""
    role = f"powerful_{secrets.token_hex(6)}"
    templates = DatabaseTemplates(postgresql_url, owner=f"{role}_owner", application=role)
    yield templates
    templates.close()
    with connect(postgresql_url) as connection:
        for login in (templates.application, templates.owner):
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login.role)))


@pytest.mark.parametrize(
    ("given", "noticed"),
    [
        ("ALTER ROLE {application} BYPASSRLS", "it passes row-level security"),
        ("ALTER ROLE {application} SUPERUSER", "it is a superuser"),
        ("ALTER ROLE {application} CREATEROLE", "it makes roles"),
        ("ALTER ROLE {application} CREATEDB", "it makes databases"),
        ("GRANT {owner} TO {application}", "it is a member of another role"),
        ("GRANT CREATE ON SCHEMA public TO {application}", "it makes tables"),
        ("ALTER TABLE owned_notes OWNER TO {application}", "it owns a table, a view or a sequence"),
    ],
)
def test_each_power_too_much_is_noticed(powerful: DatabaseTemplates, given: str, noticed: str) -> None:
    with powerful.copy("any", powerful.with_tables(Base.metadata)) as url:
        with connect(url) as connection:
            names = {"application": powerful.application.role, "owner": powerful.owner.role}
            connection.execute(given.format(**names).encode())

        assert noticed in excessive_powers(powerful.as_application(url))


def test_a_superuser_and_an_owner_are_noticed(superuser_database_url: str, owner_database_url: str) -> None:
    assert "it is a superuser" in excessive_powers(superuser_database_url)
    assert "it owns the database" in excessive_powers(owner_database_url)


def test_an_append_only_table_cannot_be_rewritten(database_url: str, owner_database_url: str) -> None:
    def create(op: Operations) -> None:
        op.execute("CREATE TABLE entries (number integer)")
        make_append_only(op, "entries")

    run_operations(owner_database_url, create)

    with connect(database_url) as connection:
        connection.execute("INSERT INTO entries VALUES (1)")
        assert connection.execute("SELECT number FROM entries").fetchall() == [(1,)]
        for statement in ("UPDATE entries SET number = 2", "DELETE FROM entries", "TRUNCATE entries"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_without_the_grant_the_application_sees_no_new_table(
    database_url: str, owner_database_url: str, database_templates: DatabaseTemplates
) -> None:
    role = database_templates.application.role
    run_operations(
        owner_database_url,
        lambda op: revoke_from_application(op, role),
        lambda op: op.execute("CREATE TABLE hidden (number integer)"),
        lambda op: grant_to_application(op, role),
        lambda op: op.execute("CREATE TABLE seen (number integer)"),
    )

    with connect(database_url) as connection:
        connection.execute("SELECT * FROM seen")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM hidden")


def test_a_database_is_prepared_once_and_again(restartable_postgresql: PostgresServer) -> None:
    owner, application = Login("shop_owner"), Login('odd "name"', "p'w%")
    for _ in range(2):
        prepare_database(restartable_postgresql.url, "shop", owner=owner, application=application)
    with connect(restartable_postgresql.url) as connection:
        connection.execute('ALTER ROLE "odd ""name""" SUPERUSER')
    prepare_database(restartable_postgresql.url, "shop", owner=owner, application=application)

    url = on_database(restartable_postgresql.url, "shop").replace("postgres@", "odd%20%22name%22@")
    assert excessive_powers(for_sqlalchemy(url)) == []


@pytest.mark.parametrize("name", ["a'b", "a%b", "a$b"])
def test_an_unlikely_name_is_refused(owner_database_url: str, name: str) -> None:
    with pytest.raises(ValueError, match="unlikely"):
        run_operations(owner_database_url, lambda op: grant_to_application(op, name))
