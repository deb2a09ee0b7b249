"""Numbers about the work, and one identifier from the request to the worker's log."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client import generate_latest
from sqlalchemy import create_engine, text
from tests.secapi.conftest import People
from tests.secapi.scans.test_submitting import a_project, upload

from fastapi_architect.components.database import Database
from fastapi_architect.components.metrics import Metrics
from fastapi_architect.components.outbox import Ended, Outbox, Outcome
from fastapi_architect.components.service import components_of, installed
from fastapi_architect.components.structured_logging import LoggingSettings
from fastapi_architect.components.structured_logging.configuration import configure_logging
from fastapi_architect.components.testing.statements import statements
from fastapi_architect.secapi.work.counting import AttemptCounter, count, counts_of_scan

API = "/api/v1"


def numbers(app: FastAPI) -> dict[str, float]:
    found = generate_latest(installed(app, Metrics).registry).decode().splitlines()
    lines = [line.rpartition(" ") for line in found if line.startswith("secapi_")]
    return {name: float(value) for name, _, value in lines}


def test_the_queue_the_scans_and_the_dead_letters_are_numbers(
    client: TestClient, app: FastAPI, people: People
) -> None:
    organisation = people.organisation()
    project, developer = a_project(client, people, organisation), people.member(organisation, "developer")
    for priority in ("high", "normal", "normal"):
        body = {"upload_id": upload(client, developer), "priority": priority}
        client.post(f"{API}/projects/{project}/scans", json=body, headers=developer)
    database = installed(app, Database)
    with database.sync_sessions.begin() as session:
        session.execute(
            text("UPDATE outbox_events SET held_until = held_until - :by WHERE priority = 0"),
            {"by": timedelta(minutes=1)},
        )
        count(session, counts_of_scan("done", 7.5))
        count(session, counts_of_scan("done", 4000))
    counter = AttemptCounter(database)
    counter(Ended("scans.requested.normal", Outcome.DONE, 2, 1.5, was_reclaimed=True))
    counter(Ended("scans.requested.normal", Outcome.DONE, 1, 0.5, was_reclaimed=False))

    found = numbers(app)

    assert found['secapi_queue_depth{priority="high"}'] == 1
    assert found['secapi_queue_due{priority="normal"}'] == 2
    assert found['secapi_queue_oldest_seconds{priority="high"}'] >= 60
    assert found["secapi_outbox_lag_seconds"] >= 60
    assert found["secapi_dead_letters"] == 0
    assert found['secapi_attempts_total{outcome="done",topic="scans.requested.normal"}'] == 2
    assert found['secapi_attempt_seconds_total{topic="scans.requested.normal"}'] == 2
    assert found['secapi_lease_reclaims_total{topic="scans.requested.normal"}'] == 1
    assert found['secapi_scan_seconds_bucket{le="10"}'] == 1
    assert found['secapi_scan_seconds_bucket{le="3600"}'] == 1
    assert (found["secapi_scan_seconds_count"], found["secapi_scan_seconds_sum"]) == (2, 4007.5)


def test_numbers_cost_three_statements_however_often_somebody_asks(client: TestClient, app: FastAPI) -> None:
    with statements(installed(app, Database).sync_engine) as counted:
        for _ in range(20):
            assert numbers(app)["secapi_database_up"] == 1

    assert len([each for each in counted.texts if "outbox_events" in each or "work_counters" in each]) == 3
    assert not any(f" {table}" in each for each in counted.texts for table in ("scans", "findings"))


def test_without_the_database_the_other_numbers_stay(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(installed(app, Database).sync_sessions, "begin", refuse)

    assert numbers(app) == {"secapi_database_up": 0}
    assert b"http_requests" in generate_latest(installed(app, Metrics).registry)


def test_one_identifier_leads_from_the_request_over_the_outbox_to_the_log_of_the_worker(
    client: TestClient,
    app: FastAPI,
    people: People,
    service_environment: Mapping[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    organisation = people.organisation()
    project, developer = a_project(client, people, organisation), people.member(organisation, "developer")
    body = {"upload_id": upload(client, developer)}

    answer = client.post(f"{API}/projects/{project}/scans", json=body, headers=developer)
    parts = components_of(app)
    runtime = next(each for each in parts if isinstance(each, Outbox)).runtime(parts)
    configure_logging(LoggingSettings(level="INFO"))
    capsys.readouterr()

    def log(ended: Ended) -> None:
        logging.getLogger("worker").info("an attempt ended", extra={"topic": ended.topic})

    outcome = replace(runtime, listeners=(log,)).handle(UUID(answer.json()["task_id"]))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    [line] = [each for each in lines if each["message"] == "an attempt ended"]

    engine = create_engine(service_environment["DATABASE_URL"])
    with engine.connect() as connection:
        statement = text("SELECT request_id FROM outbox_events WHERE id = :id")
        in_outbox = connection.execute(statement, {"id": answer.json()["task_id"]}).scalar_one()
    engine.dispose()
    assert outcome is Outcome.DONE
    assert answer.headers["x-request-id"] == in_outbox == line["request_id"]
    assert client.get(f"{API}/scans/{answer.json()['id']}", headers=developer).json()["state"] == "done"
