"""Verdicts are made once for all who ask, are never old, are nobody else's, and need no Redis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from tests.secapi.conftest import NamedCallers, People
from tests.secapi.findings.test_matching import LIST, seen
from tests.secapi.findings.test_triage import Team

from fastapi_architect.components.cache import Caching
from fastapi_architect.components.database import Database, bind_worker_setting
from fastapi_architect.components.service import installed
from fastapi_architect.components.testing.servers import free_port
from fastapi_architect.components.testing.statements import statements
from fastapi_architect.secapi.app import create_app
from fastapi_architect.secapi.findings.matching import Seen
from fastapi_architect.secapi.projects.results import results_changed
from fastapi_architect.secapi.registry import components

API = "/api/v1"


def gate(team: Team) -> object:
    answer = team.get(f"/projects/{team.project}/gate")
    assert answer.status_code == 200, answer.text
    return answer.json()["counts"]


def ends(team: Team, *found: Seen) -> None:
    """End a scan as a worker does, with what it says of the project in the same transaction."""
    team.scan(*found)
    engine = create_engine(team.environment["DATABASE_URL"])
    with Session(engine) as session:
        bind_worker_setting(session, "app.tenant_id", team.organisation)
        session.execute(results_changed(team.project))
        session.commit()
    engine.dispose()


@pytest.fixture
def team(client: TestClient, people: People, service_environment: Mapping[str, str]) -> Team:
    return Team(client, people, service_environment)


def test_fifty_who_ask_at_once_cost_one_judgement(team: Team, app: FastAPI) -> None:
    team.scan(*seen(LIST))

    with statements(installed(app, Database).engine) as counted, ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _: gate(team), range(50)))

    assert found == [{"critical": 1}] * 50
    assert installed(app, Caching).cache.statistics.loads == 1
    judgements = [each for each in counted.texts if "GROUP BY findings.severity" in each]
    assert len(judgements) == 1


def test_whoever_changed_something_reads_a_verdict_that_knows_it(team: Team) -> None:
    [finding] = team.scan(*seen(LIST))
    assert gate(team) == {"critical": 1}

    team.decide(finding, triage="false_positive", reason="A closed list.")
    assert gate(team) == {}
    body = {"finding_ids": [str(finding)], "triage": "open"}
    team.client.post(f"{API}/projects/{team.project}/findings/triage", json=body, headers=team.developer)
    assert gate(team) == {"critical": 1}
    project = f"{API}/projects/{team.project}"
    headers = team.maintainer | {"If-Match": "*"}
    team.client.patch(project, json={"gate_severity": "none"}, headers=headers)
    assert gate(team) == {}
    team.client.patch(project, json={"gate_severity": "info"}, headers=headers)
    ends(team)
    assert gate(team) == {}
    ends(team, *seen(LIST), *seen(LIST, rule="weak-hash"))
    assert gate(team) == {"critical": 2}


def test_a_kept_verdict_is_given_to_nobody_who_may_not_ask(team: Team) -> None:
    team.scan(*seen(LIST))
    gate(team)
    mallory = team.people.member(team.people.organisation("Evil"), "admin")
    narrow = team.people.member(team.organisation, "admin", scopes=frozenset({"projects:read"}))

    assert team.get(f"/projects/{team.project}/gate", mallory).status_code == 404
    assert team.get(f"/projects/{team.project}/gate", narrow).status_code == 403


@pytest.fixture
def without_redis(
    service_environment: Mapping[str, str],
    named_callers: NamedCallers,
    people: People,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Team]:
    for name, value in {**service_environment, "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}.items():
        monkeypatch.setenv(name, value)
    app = create_app([named_callers, *components()])
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield Team(client, people, service_environment)


def test_without_redis_every_verdict_is_made_anew_and_right(without_redis: Team) -> None:
    [finding] = without_redis.scan(*seen(LIST))

    assert gate(without_redis) == {"critical": 1}
    without_redis.decide(finding, triage="false_positive", reason="A closed list.")
    assert gate(without_redis) == {}
