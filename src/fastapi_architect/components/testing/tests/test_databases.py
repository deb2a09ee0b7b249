"""Tests get databases of their own, quickly, and as the role that the service has in production."""

import psycopg
import pytest
from sqlalchemy import text

from fastapi_architect.components.database import Base, Database
from fastapi_architect.components.database.tests.example import ExampleNote
from fastapi_architect.components.testing.databases import DatabaseTemplates, schema_differences


def run(url: str, statement: str) -> object:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


@pytest.mark.anyio
async def test_the_database_of_a_test_has_every_table(database: Database) -> None:
    async with database.engine.connect() as connection:
        for name in Base.metadata.tables:
            await connection.execute(text(f'SELECT count(*) FROM "{name}"'))
    await database.engine.dispose()
    assert ExampleNote.__tablename__ in Base.metadata.tables


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_test_sees_nothing_of_another(owner_database_url: str, attempt: int) -> None:
    assert run(owner_database_url, "SELECT to_regclass('left_behind')") is None
    run(owner_database_url, "CREATE TABLE left_behind ()")


def test_a_database_is_filled_once_for_all_of_its_kind(database_templates: DatabaseTemplates) -> None:
    filled = []

    def fill(owner_url: str) -> None:
        filled.append(owner_url)
        run(owner_url, "CREATE TABLE kept ()")

    for _ in range(3):
        with database_templates.copy("counted", fill) as url:
            assert run(url, "SELECT to_regclass('kept')") == "kept"

    assert len(filled) == 1


def test_the_service_is_not_the_owner(database_url: str, owner_database_url: str) -> None:
    assert run(database_url, "SELECT current_user") != run(owner_database_url, "SELECT current_user")


def test_models_and_tables_that_agree_differ_in_nothing(owner_database_url: str) -> None:
    assert schema_differences(owner_database_url, Base.metadata) == []


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        ("ALTER TABLE owned_notes DROP COLUMN rank", "add_column"),
        ("ALTER TABLE owned_notes ALTER COLUMN rank DROP NOT NULL", "modify_nullable"),
        ("ALTER TABLE owned_notes ALTER COLUMN title TYPE varchar(10)", "modify_type"),
        ("DROP INDEX ix_owned_notes_owner_id_id", "add_index"),
        ("ALTER TABLE owned_notes ADD COLUMN more integer", "remove_column"),
    ],
)
def test_a_table_that_is_not_what_the_model_says_is_noticed(
    owner_database_url: str, change: str, noticed: str
) -> None:
    run(owner_database_url, change)

    assert noticed in " ".join(schema_differences(owner_database_url, Base.metadata))
