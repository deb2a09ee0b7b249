"""Migrations of examples run alone, on SQLite, offline, or on a real PostgreSQL server."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.proving.kit import holds

from fastapi_architect.proving.postgres_server import address

FILES = {
    "main.py": """
        from fastapi import FastAPI
        from sqlalchemy import create_engine, text

        engine = create_engine("postgresql+asyncpg://user:pw@db/shop".replace("asyncpg", "psycopg"))
        app = FastAPI()

        @app.get("/")
        def root() -> str:
            with engine.connect() as connection:
                return connection.execute(text("SELECT version()")).scalar_one()
    """,
    "migrations/versions/0001.py": """
        import sqlalchemy as sa
        from alembic import op

        def upgrade() -> None:
            op.create_table("accounts", sa.Column("id", sa.Integer, primary_key=True))
            op.execute("INSERT INTO accounts VALUES (1), (2)")

        def downgrade() -> None:
            op.drop_table("accounts")
    """,
    "migrations/versions/0002.py": """
        import sqlalchemy as sa
        from alembic import op

        def upgrade() -> None:
            op.create_index("ix_accounts_id", "accounts", ["id"])

        def downgrade() -> None:
            op.drop_index("ix_accounts_id")
    """,
    "migrations/versions/0003.py": """
        from alembic import op

        def upgrade() -> None:
            with op.get_context().autocommit_block():
                op.create_index("ix_more", "accounts", ["id"], postgresql_concurrently=True)
    """,
}


def test_a_revision_runs_on_sqlite_and_back(tmp_path: Path) -> None:
    demonstration = """
        statements = proof.migrate("migrations/versions/0001.py")
        assert any("CREATE TABLE accounts" in s for s in statements), statements
        assert any("INSERT" in s for s in statements)
        assert proof.migrate("migrations/versions/0001.py", direction="downgrade")
        try:
            proof.migrate("migrations/versions/0002.py")
        except Exception as error:
            assert "no such table" in str(error)
        else:
            assert False
    """
    holds(tmp_path, demonstration, FILES)


def test_a_revision_is_written_offline_for_postgresql(tmp_path: Path) -> None:
    demonstration = """
        sql = proof.migration_sql("migrations/versions/0001.py")
        assert "id SERIAL NOT NULL" in sql, sql
    """
    holds(tmp_path, demonstration, FILES)


@pytest.fixture(scope="module")
def postgres() -> str:
    return address()


def test_locks_of_a_revision_are_seen_on_a_real_server(tmp_path: Path, postgres: str) -> None:
    demonstration = """
        database = proof.postgres()
        proof.migrate("migrations/versions/0001.py")
        assert database.execute("SELECT count(*) FROM accounts") == [(2,)]
        with database.migrating("migrations/versions/0002.py") as locks:
            assert "accounts ShareLock" in locks, locks
            assert database.is_refused("INSERT INTO accounts VALUES (3)")
            assert not database.is_refused("SELECT * FROM accounts")
        assert not database.is_refused("INSERT INTO accounts VALUES (3)")
        with database.migrating("migrations/versions/0003.py") as locks:
            assert not database.is_refused("INSERT INTO accounts VALUES (3)")
        assert proof.client.get("/").json().startswith("PostgreSQL")
    """
    holds(tmp_path, demonstration, FILES, postgres)


def test_each_proof_has_a_database_of_its_own_and_leaves_none(tmp_path: Path, postgres: str) -> None:
    demonstration = """
        database = proof.postgres()
        assert database.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'proof_%'") == [(1,)]
        assert database.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    """
    holds(tmp_path, demonstration, FILES, postgres)
    holds(tmp_path, demonstration, FILES, postgres)
