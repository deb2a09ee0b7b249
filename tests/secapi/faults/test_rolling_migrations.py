"""While a release rolls out, the old service works on the new tables, and the new one beside the old."""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from tests.secapi.faults.conftest import Submitter, Worker

from fastapi_architect.secapi import migrating

VERSIONS = sorted(
    path.stem for path in (Path(migrating.__file__).parent / "migrations" / "versions").glob("0*.py")
)
#: What a service that does not know of it yet would break on.
BREAKING = {
    "takes a table away": r"\bDROP TABLE\b",
    "takes a column away": r"\bDROP COLUMN\b",
    "renames": r"\bRENAME\b",
    "changes a type": r"\bALTER COLUMN \w+ TYPE\b",
    "asks for a value that old rows lack": r"\bALTER COLUMN \w+ SET NOT NULL\b",
    "asks for a value that an old service does not write": r"\bADD COLUMN \w+ (?![^;]*DEFAULT)[^;]*NOT NULL",
}


def sql_of(version: str) -> str:
    """What a revision says to PostgreSQL."""
    said = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": said}
    )
    module = importlib.import_module(f"{migrating.__package__}.migrations.versions.{version}")
    with Operations.context(context):
        module.upgrade()
    return said.getvalue()


def test_there_are_revisions() -> None:
    assert "0001_application_role" in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_a_revision_only_adds_so_that_the_old_service_goes_on(version: str) -> None:
    sql = sql_of(version)

    assert [name for name, pattern in BREAKING.items() if re.search(pattern, sql)] == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("ALTER TABLE scans DROP COLUMN score;", "takes a column away"),
        ("ALTER TABLE scans RENAME score TO points;", "renames"),
        ("ALTER TABLE scans ALTER COLUMN score TYPE BIGINT;", "changes a type"),
        ("ALTER TABLE scans ALTER COLUMN score SET NOT NULL;", "asks for a value that old rows lack"),
        (
            "ALTER TABLE scans ADD COLUMN points INTEGER NOT NULL;",
            "asks for a value that an old service does not write",
        ),
        ("ALTER TABLE scans ADD COLUMN points INTEGER DEFAULT 0 NOT NULL;", None),
        ("ALTER TABLE scans ADD COLUMN points INTEGER;", None),
    ],
)
def test_what_breaks_an_old_service_is_recognised(statement: str, found: str | None) -> None:
    assert [name for name, pattern in BREAKING.items() if re.search(pattern, statement)] == (
        [] if found is None else [found]
    )


@pytest.mark.usefixtures("quick_review")
def test_a_service_that_knows_less_than_its_tables_submits_works_and_reads(
    submitter: Submitter, worker: Worker, service_environment: Mapping[str, str]
) -> None:
    owner = create_engine(service_environment["DATABASE_OWNER_URL"])
    # The next release adds to every table.
    with owner.begin() as connection:
        for table in inspect(connection).get_table_names():
            connection.execute(
                text(f"ALTER TABLE \"{table}\" ADD COLUMN of_next_release TEXT NOT NULL DEFAULT ''")
            )
    owner.dispose()

    scan, task = submitter.submit()
    worker.runtime.handle(task)

    assert submitter.scan(scan)["counts"] == {"critical": 1}
