"""A database whose tables belong to one role and are used by another, as in production."""

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url
from uuid_utils.compat import uuid7

from fastapi_architect.components.database import Database, DatabaseSettings
from fastapi_architect.components.service import Environment
from fastapi_architect.components.tenancy import protect_by_tenant
from fastapi_architect.components.tenancy.migrations import create_tenancy, create_tenant_list
from fastapi_architect.components.testing.servers import for_sqlalchemy


def migrate(url: str) -> None:
    engine = create_engine(for_sqlalchemy(url))
    with engine.begin() as connection:
        op = Operations(MigrationContext.configure(connection))
        create_tenancy(op)
        create_tenant_list(op)
        op.create_table(
            "tenancy_notes",
            sa.Column("id", sa.Uuid(), primary_key=True),
            sa.Column("tenant_id", sa.Uuid(), sa.ForeignKey("organisations.id"), nullable=False, index=True),
            sa.Column("text", sa.String(200), nullable=False),
        )
        protect_by_tenant(op, "tenancy_notes")
    engine.dispose()


@pytest.fixture
def owner_url(empty_database_url: str) -> str:
    """The URL of the owner of the tables."""
    migrate(empty_database_url)
    return empty_database_url


@pytest.fixture
def separated_database(owner_url: str) -> Iterator[Database]:
    """The database as the service sees it: connected as a role that owns nothing."""
    name = f"tenancy_{uuid7().hex}"
    role = sql.Identifier(name)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS").format(role))
        connection.execute(
            sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}").format(role)
        )
        url = make_url(for_sqlalchemy(owner_url)).set(username=name).render_as_string(hide_password=False)
        try:
            yield Database(DatabaseSettings(url=SecretStr(url), environment=Environment.LOCAL))
        finally:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
            connection.execute(sql.SQL("DROP ROLE {}").format(role))
