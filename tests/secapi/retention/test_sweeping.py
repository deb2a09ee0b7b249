"""What is old goes, what is needed stays, and findings always stay."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import create_engine, text
from tests.secapi.conftest import People
from tests.secapi.findings.test_matching import LIST, seen
from tests.secapi.findings.test_triage import Team
from tests.secapi.scans.test_submitting import upload

from fastapi_architect.components.database import Database, DatabaseSettings
from fastapi_architect.components.outbox import HandlerContext
from fastapi_architect.components.service import Environment
from fastapi_architect.secapi.retention.tasks import sweep

API = "/api/v1"


def submitted(team: Team) -> tuple[str, str]:
    archive = upload(team.client, team.developer)
    path = f"{API}/projects/{team.project}/scans"
    answer = team.client.post(path, json={"upload_id": archive}, headers=team.developer)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"]), archive


def swept(environment: Mapping[str, str]) -> None:
    """Sweep as a worker does, as the role that owns nothing."""
    url = SecretStr(environment["DATABASE_URL"])
    database = Database(DatabaseSettings(url=url, environment=Environment.LOCAL))
    with database.sync_sessions() as session:
        sweep(HandlerContext(UUID(int=1), "retention.sweep", 1, False, "-", session, [database]), {})
        session.commit()
    database.sync_engine.dispose()


def test_what_is_old_goes_and_what_is_needed_stays(
    client: TestClient, people: People, service_environment: Mapping[str, str]
) -> None:
    team = Team(client, people, service_environment)
    [finding] = team.scan(*seen(LIST))
    old, newest, fresh, failed, recent, waiting = (submitted(team) for _ in range(6))
    forgotten = upload(client, team.developer)
    unused = upload(client, team.developer)
    owner = create_engine(service_environment["DATABASE_OWNER_URL"])

    def run(statement: str, **values: object) -> list[tuple[object, ...]]:
        with owner.begin() as connection:
            found = connection.execute(text(statement), values)
            return [tuple(row) for row in found] if found.returns_rows else []

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
    ages = "UPDATE uploads SET created_at = now() - interval '25 hours' WHERE id = ANY(CAST(:ids AS uuid[]))"
    run(ages, ids=[forgotten, waiting[1]])

    swept(service_environment)

    left = {str(row[0]) for row in run("SELECT id FROM scans")}
    uploads = {str(row[0]) for row in run("SELECT id FROM uploads")}
    logged = run("SELECT details FROM audit_events WHERE action = 'retention.swept'")
    owner.dispose()
    assert left == {newest[0], fresh[0], failed[0], recent[0], waiting[0]}
    # Those of old, newest and fresh belong to scans that ended without one here: forgotten only when they are a day old.
    assert uploads == {old[1], newest[1], fresh[1], recent[1], waiting[1], unused}
    assert logged == [({"archives": 1, "scans": 1, "reports": 0},)]
    history = team.get(f"/findings/{finding}/events").json()
    assert [each["kind"] for each in history] == ["found"]
