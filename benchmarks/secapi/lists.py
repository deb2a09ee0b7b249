"""What a page of a list costs PostgreSQL: `make bench-lists`.

One project with a thousand, ten thousand and a hundred thousand findings, scans, events and entries of the audit log, beside another
organisation with as many. Each list is asked in each of its orders, with each of its filters, and on a page as deep as there is, by the
repositories of the service and as its role, for which row-level security holds. A line says what `EXPLAIN (ANALYZE, BUFFERS)`
says of the query: pages of 8 kB that were touched, milliseconds, and what was read from one end to the other.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from sqlalchemy import Connection, create_engine, event, text  # noqa: E402
from sqlalchemy.ext.asyncio import AsyncSession  # noqa: E402
from uuid_utils.compat import uuid7  # noqa: E402

from fastapi_architect.components.audit_log.repository import AuditRepository  # noqa: E402
from fastapi_architect.components.audit_log.schemas import AuditQuery  # noqa: E402
from fastapi_architect.components.database import Database, DatabaseSettings, bind_setting  # noqa: E402
from fastapi_architect.secapi.findings.repository import FindingRepository, FindingsOfBranch  # noqa: E402
from fastapi_architect.secapi.findings.schemas import FindingQuery  # noqa: E402
from fastapi_architect.secapi.scans.repository import ScanRepository  # noqa: E402
from fastapi_architect.secapi.scans.schemas import ScanQuery  # noqa: E402
from fastapi_architect.secapi.serving import installation  # noqa: E402

SIZES = (1_000, 10_000, 100_000)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FILLING = (
    "INSERT INTO organisations (id, name, version) VALUES (:tenant, 'Bench', 1)",
    """INSERT INTO projects (id, tenant_id, name, default_branch, gate_severity, gate_new_only, accepts_archive_suppressions,
         keep_scans_days, version) VALUES (:project, :tenant, 'Bench', 'main', 'important', true, false, 365, 1)""",
    "INSERT INTO branches (id, tenant_id, project_id, name, version) VALUES (:branch, :tenant, :project, 'main', 1)",
    """WITH made AS (
         INSERT INTO findings (id, tenant_id, project_id, root, fingerprint, rule, title, category, severity, severity_rank,
           confidence, cwe, triage, created_at, version)
         SELECT gen_random_uuid(), :tenant, :project, '', n::text, 'a-rule-of-' || n % 200, 'What is said of rule ' || n % 200,
           'security', 'minor', 1 + n % 4, 'firm', 'CWE-' || n % 50, CASE WHEN n % 500 = 0 THEN 'confirmed' ELSE 'open' END,
           now() - n * interval '1 minute', 1
         FROM generate_series(1, :size) n RETURNING id, fingerprint, rule, title, cwe)
       INSERT INTO findings_in_branches (id, tenant_id, finding_id, branch_id, presence, first_scan_id, last_scan_id, file, line,
         is_proposed_ignored, document)
       SELECT gen_random_uuid(), :tenant, id, :branch, CASE WHEN fingerprint::int % 10 = 0 THEN 'fixed' ELSE 'open' END, :tenant,
         :tenant, 'app/module_' || fingerprint::int % 1000 || '/views.py', 1, false,
         jsonb_build_object('rule', rule, 'title', title, 'cwe', cwe, 'suggestion', repeat('words ', 100)) FROM made""",
    """INSERT INTO finding_events (tenant_id, finding_id, kind, details)
       SELECT :tenant, (SELECT id FROM findings WHERE project_id = :project LIMIT 1), 'commented', '{}' FROM generate_series(1, :size)""",
    """INSERT INTO scans (id, tenant_id, project_id, kind, state, priority, branch, requested_by, upload_id, run, sha256, size, attempts,
         roots, roots_done, task_id, created_at, version)
       SELECT gen_random_uuid(), :tenant, :project, 'archive', 'done', 'normal', 'branch-' || n % 100, :tenant, NULL, 1, '', 1,
         1, 1, 1, gen_random_uuid(), now() - n * interval '1 minute', 1 FROM generate_series(1, :size) n""",
    """INSERT INTO audit_events (id, at, action, outcome, actor_method, tenant_id, subject_type, subject_id, request_id, details)
       SELECT gen_random_uuid(), now() - n * interval '1 minute', 'action.' || n % 40, 'done', 'test', :tenant, 'finding', n::text, '',
         '{}' FROM generate_series(1, :size) n""",
)

Ask = Callable[[AsyncSession], Awaitable[object]]


@dataclass(frozen=True)
class Place:
    """An organisation with a project of so many of everything."""

    tenant: UUID
    project: UUID
    finding: UUID


def main() -> int:
    """Fill, ask and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        os.environ.update(installation.environment(Path(folder), stack, {**os.environ, "ENV_FILE": ""}))
        installation.migrate()
        for size in options.sizes:
            fill(size)
            place = fill(size)
            print(f"\n{size} of each\n{'':44} {'pages':>8} {'ms':>8}  read whole")
            asyncio.run(ask_all(place, size))
    return 0


def fill(size: int) -> Place:
    """Make an organisation with so many of everything, as the owner of the tables."""
    tenant, project, branch = uuid7(), uuid7(), uuid7()
    engine = create_engine(os.environ["DATABASE_OWNER_URL"])
    with engine.begin() as connection:
        values = {"tenant": tenant, "project": project, "branch": branch, "size": size}
        for statement in FILLING:
            connection.execute(text(statement), values)
        finding = connection.execute(
            text("SELECT finding_id FROM finding_events WHERE tenant_id = :tenant LIMIT 1"), values
        ).scalar_one()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
    engine.dispose()
    return Place(tenant, project, finding)


def questions(place: Place, size: int) -> Iterator[tuple[str, Ask]]:
    """Yield each question with its name."""
    first = {
        "all": {}, "fixed ones": {"presence": "fixed"}, "of one triage": {"triage": "confirmed"}, "severe ones": {"severity": "critical"},
        "of one confidence": {"confidence": "certain"}, "of one rule": {"rule": "a-rule-of-7"}, "of one CWE": {"cwe": "CWE-7"},
        "below a folder": {"file": "app/module_77/"}, "a part of the title": {"text": "rule 77"},
        "of a part of no title": {"text": "nowhere"}, "with common words": {"words": "said rule"},
        "with rare words": {"words": "module_77 rule"}, "with words of none": {"words": "nowhere"},
        "of an hour long ago": {"found_after": LONG_AGO, "found_before": LONG_AGO + timedelta(hours=1)},
    }  # fmt: skip
    for sort in ("severity", "newest", "oldest"):
        for name, query in first.items():
            yield f"findings by {sort}, {name}", _findings(place, {"sort": sort, "limit": 100, **query})
        yield f"findings by {sort}, the last page", _deep_findings(place, sort, size)
    for sort in ("newest", "oldest"):
        for name, query in {
            "all": {},
            "of a branch": {"branch": "branch-7"},
            "of no state": {"state": "failed"},
        }.items():
            yield f"scans by {sort}, {name}", _scans(place, {"sort": sort, "limit": 100, **query})
        yield f"scans by {sort}, the last page", _deep_scans(place, sort, size)
    for name, query in {"all": {}, "of one action": {"action": "action.7"}, "of no actor": {"actor_id": place.tenant},
                        "of one subject": {"subject_type": "finding", "subject_id": "7"}}.items():  # fmt: skip
        yield f"audit log, {name}", _audit(place, {"limit": 100, **query})
    yield "audit log, the last page", _deep_audit(place, size)
    yield (
        "history of a finding",
        lambda session: FindingRepository(session, place.tenant).history(place.finding, None, 0, 100),
    )
    yield "history of a finding, its end", _end_of_history(place)


def _findings(place: Place, query: dict[str, Any]) -> Ask:
    return lambda session: FindingsOfBranch(session, place.tenant, place.project, None).list_placed(
        FindingQuery.model_validate(query)
    )


def _scans(place: Place, query: dict[str, Any]) -> Ask:
    return lambda session: ScanRepository(session, place.tenant, place.project).list(
        ScanQuery.model_validate(query)
    )


def _audit(place: Place, query: dict[str, Any]) -> Ask:
    return lambda session: AuditRepository(session, place.tenant).list(AuditQuery.model_validate(query))


def _deep_findings(place: Place, sort: str, size: int) -> Ask:
    column, direction = {
        "severity": ("severity_rank", "DESC"),
        "newest": ("created_at", "DESC"),
        "oldest": ("created_at", "ASC"),
    }[sort]

    async def ask(session: AsyncSession) -> object:
        row = await _row(session, "findings", column, direction, place, size - 50)
        return await _findings(
            place, {"sort": sort, "cursor": FindingsOfBranch.orders[sort].cursor(sort, row)}
        )(session)

    return ask


def _deep_scans(place: Place, sort: str, size: int) -> Ask:
    async def ask(session: AsyncSession) -> object:
        row = await _row(
            session, "scans", "created_at", "DESC" if sort == "newest" else "ASC", place, size - 50
        )
        return await _scans(place, {"sort": sort, "cursor": ScanRepository.orders[sort].cursor(sort, row)})(
            session
        )

    return ask


def _deep_audit(place: Place, size: int) -> Ask:
    async def ask(session: AsyncSession) -> object:
        statement = "SELECT id FROM audit_events WHERE tenant_id = :tenant ORDER BY id DESC OFFSET :offset LIMIT 1 -- place"
        row = (await session.execute(text(statement), {"tenant": place.tenant, "offset": size - 50})).one()
        return await _audit(place, {"cursor": AuditRepository.orders["newest"].cursor("newest", row)})(
            session
        )

    return ask


def _end_of_history(place: Place) -> Ask:
    async def ask(session: AsyncSession) -> object:
        statement = "SELECT max(id) FROM finding_events WHERE finding_id = :finding"
        last = (await session.execute(text(statement), {"finding": place.finding})).scalar_one()
        return await FindingRepository(session, place.tenant).history(place.finding, None, last - 50, 100)

    return ask


async def _row(
    session: AsyncSession, table: str, column: str, direction: str, place: Place, offset: int
) -> Any:
    """Return the row at a place of a list, so that the cursor of a deep page need not be reached page by page."""
    statement = f"SELECT id, {column} FROM {table} WHERE project_id = :project ORDER BY {column} {direction}, id {direction} OFFSET :offset LIMIT 1 -- place"  # noqa: E501
    return (await session.execute(text(statement), {"project": place.project, "offset": offset})).one()


async def ask_all(place: Place, size: int) -> None:
    """Ask every question, and print what it cost."""
    database = Database(DatabaseSettings())
    plans: list[dict[str, Any]] = []

    def explain(_: Connection, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if "LIMIT" in statement and "-- place" not in statement:
            # The second time, when the pages that it needs are in memory.
            for _ in range(2):
                cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, parameters)
                found = cursor.fetchall()[0][0]
            plans.append(found[0] if isinstance(found, list) else json.loads(found)[0])

    event.listen(database.engine.sync_engine, "before_cursor_execute", explain)
    try:
        for name, ask in questions(place, size):
            plans.clear()
            async with database.sessions() as session:
                await session.execute(text("SET LOCAL statement_timeout = 0"))
                await bind_setting(session, "app.tenant_id", place.tenant)
                await ask(session)
            [plan] = plans
            root = plan["Plan"]
            pages = root["Shared Hit Blocks"] + root["Shared Read Blocks"]
            whole = ", ".join(sorted(set(_read_whole(root)))) or "-"
            print(f"{name:44} {pages:8} {plan['Execution Time']:8.1f}  {whole}")
    finally:
        await database.engine.dispose()


def _read_whole(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for inner in node.get("Plans", ()):
        yield from _read_whole(inner)


if __name__ == "__main__":
    sys.exit(main())
