"""What was given up: seen by the organisation's admins, tried again once, and written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from tests.secapi.conftest import Headers, People, archive
from tests.secapi.scans.test_submitting import a_project, upload

from fastapi_architect.components.database import Database, bind_worker_setting
from fastapi_architect.components.outbox import HandlerContext, add_event
from fastapi_architect.components.service import installed
from fastapi_architect.components.testing.statements import statements
from fastapi_architect.secapi.scans.tasks import reap
from fastapi_architect.secapi.scans.work import ARCHIVE_LEFT

API = "/api/v1"
PLACE = f"{API}/work/dead-letters"


class Office:
    """An organisation whose work a test lets die."""

    def __init__(self, client: TestClient, people: People, app: FastAPI, url: str) -> None:
        self.client, self.app = client, app
        self.organisation = people.organisation()
        self.admin = people.member(self.organisation, "admin")
        self.developer = people.member(self.organisation, "developer")
        self.project = a_project(client, people, self.organisation, keep_failed_archives_hours=24)
        self.engine = create_engine(url)

    def sql(self, statement: str, **values: Any) -> Any:
        with self.engine.begin() as connection:
            return connection.execute(text(statement), values)

    def submit(self) -> Any:
        body = {"upload_id": upload(self.client, self.developer, archive(main="x = 1"))}
        answer = self.client.post(f"{API}/projects/{self.project}/scans", json=body, headers=self.developer)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def die(self, event: str) -> None:
        self.sql(
            "UPDATE outbox_events SET dead_at = now(), attempts = 3, last_error = 'MemoryError: no' WHERE id = :id",
            id=event,
        )

    def reap(self) -> None:
        database = installed(self.app, Database)
        with database.sync_sessions() as session:
            reap(HandlerContext(UUID(int=1), "scans.reap", 1, False, "-", session, [database]), {})

    def get(self, path: str = "", caller: Headers | None = None, **query: Any) -> Any:
        return self.client.get(f"{PLACE}{path}", params=query, headers=caller or self.admin)

    def replay(self, event: str, caller: Headers | None = None) -> Any:
        return self.client.post(f"{PLACE}/{event}/replay", headers=caller or self.admin)

    def scan(self, scan: str) -> Any:
        return self.client.get(f"{API}/scans/{scan}", headers=self.developer).json()


@pytest.fixture
def office(
    client: TestClient, people: People, app: FastAPI, service_environment: Mapping[str, str]
) -> Iterator[Office]:
    office = Office(client, people, app, service_environment["DATABASE_URL"])
    yield office
    office.engine.dispose()


def test_what_was_given_up_is_shown_with_its_reason_and_tried_again_once(office: Office) -> None:
    scan = office.submit()
    office.die(scan["task_id"])
    office.reap()
    assert office.scan(scan["id"])["state"] == "dead"

    [letter] = office.get().json()
    assert (letter["id"], letter["scan_id"], letter["state"]) == (scan["task_id"], scan["id"], "dead")
    assert (letter["attempts"], letter["last_error"]) == (3, "MemoryError: no")

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: office.replay(scan["task_id"]).json(), range(4)))

    again = office.scan(scan["id"])
    assert (again["state"], again["error"]) == ("queued", None)
    assert {answer["replayed_as"] for answer in answers} == {again["task_id"]} != {scan["task_id"]}
    assert {answer["state"] for answer in answers} == {"done"}
    assert office.get().json() == []
    with Session(office.engine) as session:
        bind_worker_setting(session, "app.tenant_id", office.organisation)
        audited = session.scalars(
            text("SELECT action FROM audit_events WHERE action = 'work.replayed'")
        ).all()
    assert audited == ["work.replayed"]


def test_a_scan_that_somebody_tried_again_meanwhile_is_not_begun_twice(office: Office) -> None:
    scan = office.submit()
    office.die(scan["task_id"])
    office.reap()
    office.client.post(f"{API}/scans/{scan['id']}/retry", headers=office.developer)
    running = office.scan(scan["id"])["task_id"]

    answer = office.replay(scan["task_id"])

    assert (answer.status_code, answer.json()["replayed_as"]) == (200, None)
    assert office.scan(scan["id"])["task_id"] == running


def test_other_work_is_tried_again_as_it_is(office: Office) -> None:
    with Session(office.engine) as session:
        event = str(add_event(session, ARCHIVE_LEFT, {"storage_key": "k"}, lane=office.organisation))
        session.commit()
    office.die(event)

    first, second = office.replay(event), office.replay(event)

    assert (first.json()["state"], second.json()["state"]) == ("waiting", "waiting")
    assert "storage_key" not in first.text


def test_nobody_sees_or_replays_what_is_not_theirs(office: Office, people: People) -> None:
    scan = office.submit()
    mallory = people.member(people.organisation("Evil"), "admin")
    assert office.get(f"/{scan['task_id']}").status_code == 404  # it waits, and was never given up
    office.die(scan["task_id"])

    assert office.get("", mallory).json() == []
    assert office.get(f"/{scan['task_id']}", mallory).status_code == 404
    assert office.replay(scan["task_id"], mallory).status_code == 404
    assert office.get("", office.developer).status_code == 403
    assert office.replay(scan["task_id"], office.developer).status_code == 403
    assert office.get(before="x").status_code == 422
    assert office.get(before="00000000-0000-0000-0000-000000000000").json() == []


def test_the_reaper_reads_no_dead_letter_twice(office: Office) -> None:
    for _ in range(3):
        office.die(office.submit()["task_id"])
    office.sql(
        "INSERT INTO outbox_events (id, topic, payload, request_id, dead_at, noticed_at) "
        "SELECT gen_random_uuid(), 'scans.reviewed', '{}', '-', now() - n * :minute, now() FROM generate_series(1, 5000) n",
        minute=timedelta(minutes=1),
    )
    office.reap()

    with statements(installed(office.app, Database).sync_engine) as counted:
        office.reap()

    assert len([each for each in counted.texts if "outbox_events" in each]) == 1
    with office.engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = connection.execute(
            text(
                "EXPLAIN SELECT * FROM outbox_events WHERE dead_at IS NOT NULL AND noticed_at IS NULL "
                "AND topic IN ('scans.reviewed', 'scans.root.low') ORDER BY dead_at LIMIT 1"
            )
        )
        assert "ix_outbox_events_unnoticed" in "\n".join(row[0] for row in plan)
