"""A project's migrations run as the owner, one at a time, and wait for no lock for long."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError

from fastapi_architect.components.database.roles import excessive_powers
from fastapi_architect.components.testing.databases import DatabaseTemplates, upgrade_to_head

ENV = """
from fastapi_architect.components.database.migration_environment import run_migrations
from sqlalchemy import MetaData

run_migrations(MetaData())
"""
FIRST = """
from alembic import op
from fastapi_architect.components.database.privileges import grant_to_application, revoke_from_application

revision, down_revision, branch_labels, depends_on = "0001", None, None, None


def upgrade():
    grant_to_application(op, {role!r})


def downgrade():
    revoke_from_application(op, {role!r})
"""
SECOND = """
import time

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None


def upgrade():
    time.sleep(0.5)
    op.create_table("books", sa.Column("title", sa.String(100), nullable=False))
    with op.get_context().autocommit_block():
        op.create_index("ix_books_title", "books", ["title"], postgresql_concurrently=True)


def downgrade():
    op.drop_table("books")
"""


def connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, database_templates: DatabaseTemplates) -> Path:
    """A project with two revisions."""
    root = tmp_path_factory.mktemp("project")
    (root / "versions").mkdir()
    (root / "env.py").write_text(ENV)
    (root / "versions" / "0001_role.py").write_text(FIRST.format(role=database_templates.application.role))
    (root / "versions" / "0002_books.py").write_text(SECOND)
    (root / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\npath_separator = os\n")
    return root


@pytest.fixture(scope="module")
def config(project: Path) -> Config:
    return Config(project / "alembic.ini")


@pytest.fixture
def empty(database_templates: DatabaseTemplates) -> Iterator[str]:
    """The URL of a superuser on a database of the owner's without tables."""
    with database_templates.copy("empty", lambda _: None) as url:
        yield url


def test_the_tables_are_the_owners_and_the_rows_are_the_applications(
    config: Config, empty: str, database_templates: DatabaseTemplates
) -> None:
    upgrade_to_head(config, database_templates.as_owner(empty))

    application = database_templates.as_application(empty)
    assert excessive_powers(application) == []
    with connect(application) as connection:
        connection.execute("INSERT INTO books VALUES ('Emma')")
    with connect(empty) as connection:
        owner = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'books'").fetchone()
    assert owner == (database_templates.owner.role,)


def test_it_goes_down_and_up_again(config: Config, empty: str, database_templates: DatabaseTemplates) -> None:
    upgrade_to_head(config, database_templates.as_owner(empty))
    command.downgrade(config, "base")
    upgrade_to_head(config, database_templates.as_owner(empty))

    with connect(database_templates.as_application(empty)) as connection:
        assert connection.execute("SELECT count(*) FROM books").fetchone() == (0,)


def test_two_deployments_at_once_migrate_once(
    project: Path, empty: str, database_templates: DatabaseTemplates
) -> None:
    environment = os.environ | {
        "DATABASE_OWNER_URL": database_templates.as_owner(empty),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    alembic = [sys.executable, "-m", "alembic", "upgrade", "head"]
    both = [subprocess.Popen(alembic, cwd=project, env=environment) for _ in range(2)]

    assert [process.wait(timeout=60) for process in both] == [0, 0]
    with connect(empty) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002",)]


def test_a_migration_that_waits_for_a_lock_gives_up(
    config: Config, empty: str, database_templates: DatabaseTemplates, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade_to_head(config, database_templates.as_owner(empty))
    monkeypatch.setenv("DATABASE_MIGRATION_LOCK_TIMEOUT", "200")

    with psycopg.connect(empty) as reader:
        reader.execute("SELECT * FROM books")
        started = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout"):
            command.downgrade(config, "0001")

    assert time.monotonic() - started < 5


def test_the_sql_can_be_written_instead(
    config: Config, database_templates: DatabaseTemplates, capsys: pytest.CaptureFixture[str]
) -> None:
    config.attributes["owner_url"] = "postgresql+psycopg://nobody@127.0.0.1:1/nowhere"

    command.upgrade(config, "head", sql=True)

    written = capsys.readouterr().out
    assert f'TO "{database_templates.application.role}"' in written
    assert "CREATE TABLE books" in written


def test_a_migration_waits_for_one_that_runs(
    config: Config, empty: str, database_templates: DatabaseTemplates
) -> None:
    url = database_templates.as_owner(empty)
    with connect(url) as other:
        other.execute("SELECT pg_advisory_lock(7260531078)")
        migration = threading.Thread(target=upgrade_to_head, args=(config, url))
        migration.start()
        time.sleep(1)
        assert connect(empty).execute("SELECT to_regclass('books')").fetchone() == (None,)
        other.execute("SELECT pg_advisory_unlock(7260531078)")
        migration.join(timeout=30)

    with connect(empty) as connection:
        assert connection.execute("SELECT to_regclass('books')").fetchone() == ("books",)
