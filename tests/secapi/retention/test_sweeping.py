"""What is old goes, what is needed stays, and findings always stay."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import anyio
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import create_engine, text
from tests.secapi.conftest import People
from tests.secapi.findings.test_matching import LIST, seen
from tests.secapi.findings.test_triage import Team
from tests.secapi.scans.test_submitting import upload

from fastapi_architect.components.database import Database, DatabaseSettings, bind_setting
from fastapi_architect.components.outbox import HandlerContext
from fastapi_architect.components.service import Environment
from fastapi_architect.secapi.membership import TENANT
from fastapi_architect.secapi.retention import deleted_projects
from fastapi_architect.secapi.retention.component import Retention
from fastapi_architect.secapi.retention.sweeping import delete_forgotten_uploads
from fastapi_architect.secapi.retention.tasks import NotSwept, sweep
from fastapi_architect.secapi.scans.repository import ScanRepository
from fastapi_architect.secapi.settings import SecApiSettings

API = "/api/v1"
OTHER = ("app/books.py", 20, "app.books.create", "execute(f'{name}')")
Run = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def run(service_environment: Mapping[str, str]) -> Iterator[Run]:
    """Ask or tell the database as the owner of the tables, of whom nothing is hidden."""
    owner = create_engine(service_environment["DATABASE_OWNER_URL"])

    def ask(statement: str, **values: object) -> list[tuple[Any, ...]]:
        with owner.begin() as connection:
            found = connection.execute(text(statement), values)
            return [tuple(row) for row in found] if found.returns_rows else []

    yield ask
    owner.dispose()


@pytest.fixture
def team(client: TestClient, people: People, service_environment: Mapping[str, str]) -> Team:
    return Team(client, people, service_environment)


@pytest.fixture
def database(service_environment: Mapping[str, str]) -> Iterator[Database]:
    """As a worker has it: of the role that owns nothing."""
    url = SecretStr(service_environment["DATABASE_URL"])
    database = Database(DatabaseSettings(url=url, environment=Environment.LOCAL))
    yield database
    database.sync_engine.dispose()


def submitted(team: Team) -> tuple[str, str]:
    archive = upload(team.client, team.developer)
    path = f"{API}/projects/{team.project}/scans"
    answer = team.client.post(path, json={"upload_id": archive}, headers=team.developer)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"]), archive


def swept(database: Database) -> None:
    """Sweep as a worker does."""
    with database.sync_sessions() as session:
        parts = [database, Retention(SecApiSettings())]
        sweep(HandlerContext(UUID(int=1), "retention.sweep", 1, False, "-", session, parts), {})
        session.commit()


def forgotten(run: Run, *uploads: str) -> None:
    """Let uploads be more than a day old."""
    ages = "UPDATE uploads SET created_at = now() - interval '25 hours' WHERE id = ANY(CAST(:ids AS uuid[]))"
    run(ages, ids=list(uploads))


def test_what_is_old_goes_and_what_is_needed_stays(team: Team, database: Database, run: Run) -> None:
    [finding] = team.scan(*seen(LIST))
    old, newest, fresh, failed, recent, waiting = (submitted(team) for _ in range(6))
    unneeded = upload(team.client, team.developer)
    unused = upload(team.client, team.developer)
    done = "UPDATE scans SET state = 'done', upload_id = NULL, finished_at = now() - make_interval(0, 0, 0, :days) WHERE id = :id"
    run(done, id=old[0], days=366)
    run(done, id=newest[0], days=366)
    run(done, id=fresh[0], days=364)
    run("UPDATE branches SET scan_id = :id", id=newest[0])
    run("UPDATE projects SET keep_failed_archives_hours = 24")
    died = (
        "UPDATE scans SET state = 'dead', finished_at = now() - make_interval(hours => :hours) WHERE id = :id"
    )
    run(died, id=failed[0], hours=25)
    run(died, id=recent[0], hours=23)
    forgotten(run, unneeded, waiting[1])

    swept(database)

    left = {str(row[0]) for row in run("SELECT id FROM scans")}
    uploads = {str(row[0]) for row in run("SELECT id FROM uploads")}
    logged = run("SELECT details FROM audit_events WHERE action = 'retention.swept'")
    assert left == {newest[0], fresh[0], failed[0], recent[0], waiting[0]}
    # Those of old, newest and fresh belong to scans that ended without one here: forgotten only when they are a day old.
    assert uploads == {old[1], newest[1], fresh[1], recent[1], waiting[1], unused}
    assert logged == [({"archives": 1, "scans": 1, "reports": 0, "forgotten_reports": 0},)]
    history = team.get(f"/findings/{finding}/events").json()
    assert [each["kind"] for each in history] == ["found"]


def test_an_upload_whose_scan_came_while_the_sweep_looked_stays(
    team: Team, database: Database, run: Run
) -> None:
    (_, needed), unneeded = submitted(team), upload(team.client, team.developer)
    forgotten(run, needed, unneeded)

    with database.sync_sessions.begin() as session:
        # As if the scan had been committed after all organisations were asked.
        deleted = delete_forgotten_uploads(session, set())

    assert deleted == 1
    assert [str(row[0]) for row in run("SELECT id FROM uploads")] == [needed]
    left = "SELECT count(*) FROM outbox_events WHERE topic = 'scans.archive_left'"
    assert run(left) == [(1,)]


def test_a_submission_under_way_keeps_its_upload(
    app: FastAPI, team: Team, database: Database, run: Run
) -> None:
    archive = upload(team.client, team.developer)
    forgotten(run, archive)
    [(owner,)] = run("SELECT owner_id FROM uploads")

    async def submitting() -> int:
        async with database.sessions() as session:
            await bind_setting(session, TENANT, team.organisation)
            scans = ScanRepository(session, team.organisation)
            found = await scans.submission(team.project, UUID(archive), owner)
            assert found.upload is not None
            with database.sync_sessions.begin() as other:
                return delete_forgotten_uploads(other, set())

    async def then_close() -> int:
        try:
            return await submitting()
        finally:
            await database.engine.dispose()

    assert anyio.run(then_close) == 0
    assert len(run("SELECT id FROM uploads")) == 1


def test_a_submission_of_what_is_being_swept_is_told_to_send_it_again(
    team: Team, database: Database, run: Run
) -> None:
    archive = upload(team.client, team.developer)
    forgotten(run, archive)
    path = f"{API}/projects/{team.project}/scans"

    with ThreadPoolExecutor(1) as pool:
        with database.sync_sessions.begin() as session:
            assert delete_forgotten_uploads(session, set()) == 1
            answer = pool.submit(team.client.post, path, json={"upload_id": archive}, headers=team.developer)
            deadline = time.monotonic() + 30
            while run("SELECT count(*) FROM pg_locks WHERE NOT granted") == [(0,)]:
                assert not answer.done()
                assert time.monotonic() < deadline
                time.sleep(0.01)
        refused = answer.result()

    assert refused.status_code == 404
    assert "send the file with PUT" in refused.json()["detail"]
    assert run("SELECT count(*) FROM scans") == [(0,)]


def test_nobody_deletes_the_archive_of_a_scan_that_waits(team: Team, run: Run) -> None:
    scan, archive = submitted(team)

    answer = team.client.delete(f"{API}/uploads/{archive}", headers=team.developer)

    assert answer.status_code == 409
    assert run("SELECT id::text, upload_id::text FROM scans") == [(scan, archive)]
    team.client.post(f"{API}/scans/{scan}/cancel", headers=team.maintainer)
    assert run("SELECT upload_id FROM scans") == [(None,)]
    assert run("SELECT count(*) FROM uploads") == [(0,)]


def test_what_is_left_of_a_deleted_project_goes_in_pieces_after_a_month_but_not_its_log(
    team: Team, database: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("SCANS", "FINDINGS", "BRANCHES"):
        monkeypatch.setattr(deleted_projects, kind, 1)
    monkeypatch.setenv("SECAPI_DELETED_PROJECT_DAYS", "30")
    team.scan(*seen(LIST, OTHER))
    team.scan(*seen(LIST), branch="feature")
    for _ in range(2):
        submitted(team)
    deleted, kept = team.project, None
    for name in ("Kept", "Living"):
        answer = team.client.post(f"{API}/projects", json={"name": name}, headers=team.maintainer)
        team.project = UUID(answer.json()["id"])
        team.scan(*seen(LIST))
        submitted(team)
        kept = kept or team.project
    admin = team.people.member(team.organisation, "admin")
    for project, days in ((deleted, 31), (kept, 29)):
        tag = team.get(f"/projects/{project}").headers["etag"]
        answer = team.client.delete(f"{API}/projects/{project}", headers=admin | {"If-Match": tag})
        assert answer.status_code == 204
        run(
            "UPDATE projects SET deleted_at = now() - make_interval(0, 0, 0, :days) WHERE id = :id",
            days=days,
            id=project,
        )

    swept(database)

    for table in ("scans", "findings", "branches"):
        owners = {row[0] for row in run(f"SELECT project_id FROM {table}")}
        assert owners == {kept, team.project}, table
    assert deleted not in {row[0] for row in run("SELECT id FROM projects")}
    assert run("SELECT count(*) FROM uploads") == [(2,)]
    assert run("SELECT count(*) FROM outbox_events WHERE topic = 'scans.archive_left'") == [(2,)]
    logged = run("SELECT action FROM audit_events WHERE subject_id = :id ORDER BY id", id=str(deleted))
    assert [row[0] for row in logged] == ["project.created", "project.deleted", "project.purged"]


def test_a_scan_that_a_worker_holds_keeps_its_project_for_another_hour(
    team: Team, database: Database, run: Run
) -> None:
    submitted(team)
    scan, _ = submitted(team)
    run("UPDATE projects SET deleted_at = now() - interval '31 days'")

    with database.sync_sessions() as worker:
        worker.execute(text("SELECT set_config('app.tenant_id', :id, true)"), {"id": str(team.organisation)})
        worker.execute(text("SELECT FROM scans WHERE id = :id FOR UPDATE"), {"id": scan})
        swept(database)
        assert run("SELECT id::text FROM scans") == [(scan,)]
    swept(database)

    assert run("SELECT count(*) FROM projects") == [(0,)]


def test_an_organisation_that_cannot_be_swept_does_not_keep_the_others(
    client: TestClient, people: People, service_environment: Mapping[str, str], database: Database, run: Run
) -> None:
    teams = [Team(client, people, service_environment) for _ in "ab"]
    first, second = sorted((submitted(team)[0], team.organisation) for team in teams)
    stuck = min(first, second, key=lambda each: each[1])
    run("UPDATE scans SET state = 'done', upload_id = NULL, finished_at = now() - interval '400 days'")
    run("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$")
    run(
        f"CREATE TRIGGER stuck BEFORE DELETE ON scans FOR EACH ROW WHEN (OLD.id = '{stuck[0]}')"
        " EXECUTE FUNCTION refuse()"
    )

    with pytest.raises(NotSwept, match="1 of 2"):
        swept(database)

    assert run("SELECT id::text FROM scans") == [(stuck[0],)]
