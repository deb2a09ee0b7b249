"""What a client is told while Redis, the broker or the pool of the database is in trouble."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import redis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection, create_engine, event, text
from tests.secapi.conftest import NamedCallers, People
from tests.secapi.faults.conftest import API, Submitter

from fastapi_architect.components.database import Database
from fastapi_architect.components.service import installed
from fastapi_architect.components.testing.fault_proxy import fault_proxy
from fastapi_architect.secapi.app import create_app
from fastapi_architect.secapi.registry import components


@pytest.fixture
def serving(
    service_environment: Mapping[str, str],
    named_callers: NamedCallers,
    people: People,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """Makes services of another environment, on the same database."""

    @contextmanager
    def serve(**environment: str) -> Iterator[Submitter]:
        for name, value in {**service_environment, **environment}.items():
            monkeypatch.setenv(name, value)
        app = create_app([named_callers, *components()])
        with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
            yield Submitter(client, people)

    return serve


def cost_of_submitting(submitter: Submitter) -> float:
    """Seconds of a submission, the median of some."""
    taken = []
    for upload in [submitter.upload() for _ in range(7)]:
        began = time.perf_counter()
        assert submitter.post(upload).status_code == 202
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def test_without_broker_and_redis_a_submission_is_accepted_at_about_the_same_cost(serving: Any) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        gone = f"redis://127.0.0.1:{nobody.getsockname()[1]}"
        with serving() as usual:
            with_redis = cost_of_submitting(usual)
        with serving(REDIS_URL=f"{gone}/0", CELERY_BROKER_URL=f"{gone}/1") as alone:
            without = cost_of_submitting(alone)

    assert without < 3 * with_redis


def test_a_redis_that_is_slow_holds_rubbish_or_is_emptied_is_no_error_of_the_service(
    serving: Any, redis_url: str
) -> None:
    port = int(redis_url.rpartition(":")[2].partition("/")[0])
    with (
        fault_proxy(port) as proxy,
        redis.Redis.from_url(redis_url) as client,
        serving(REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0") as submitter,
    ):

        def statuses() -> set[int]:
            answer = submitter.post(submitter.upload())
            listed = submitter.client.get(
                f"{API}/projects/{submitter.project}/scans", headers=submitter.caller
            )
            return {answer.status_code, listed.status_code}

        found = {"usual": statuses()}
        for key in client.scan_iter():
            client.delete(key)
            client.lpush(key, "rubbish")
        found["rubbish"] = statuses()
        client.flushall()
        found["emptied"] = statuses()
        proxy.delay = 2.0
        found["slow"] = statuses()

    assert all(each == {200, 202} for each in found.values()), found


def test_when_all_connections_are_taken_it_says_when_to_come_back_and_lives(
    serving: Any, service_environment: Mapping[str, str]
) -> None:
    owner = create_engine(service_environment["DATABASE_OWNER_URL"])
    with (
        serving(DATABASE_POOL_SIZE="1", DATABASE_MAX_OVERFLOW="0", DATABASE_POOL_TIMEOUT="0.2") as submitter,
        ThreadPoolExecutor(1) as another,
        owner.connect() as connection,
    ):
        projects = f"{API}/projects"

        def get() -> Any:
            return submitter.client.get(projects, headers=submitter.caller)

        connection.execute(text("LOCK TABLE projects IN ACCESS EXCLUSIVE MODE"))
        held = another.submit(get)
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while not connection.execute(waiting).scalar_one():
            time.sleep(0.02)
        refused, alive = get(), submitter.client.get("/health/live")
        connection.rollback()
        served, again = held.result(), get()
    owner.dispose()

    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert alive.status_code == 200
    assert (served.status_code, again.status_code) == (200, 200)


def test_a_submission_in_doubt_is_one_scan_when_it_is_repeated(
    submitter: Submitter, app: FastAPI, service_environment: Mapping[str, str]
) -> None:
    upload, key = submitter.upload(), {"Idempotency-Key": '"once"'}
    url = service_environment["DATABASE_URL"].replace("+psycopg", "", 1)

    def end_connections(_connection: Connection) -> None:
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    event.listen(installed(app, Database).engine.sync_engine, "commit", end_connections, once=True)
    doubtful, accepted, again = (submitter.post(upload, **key) for _ in range(3))

    assert doubtful.status_code == 503
    assert int(doubtful.headers["retry-after"]) >= 1
    assert "same Idempotency-Key" in doubtful.json()["detail"]
    assert (accepted.status_code, again.status_code) == (202, 202)
    assert accepted.json()["id"] == again.json()["id"]


@pytest.mark.matrix
def test_a_thousand_submissions_under_one_key_are_one_scan(submitter: Submitter) -> None:
    upload = submitter.upload()
    key = {"Idempotency-Key": '"once"'}
    begin = threading.Barrier(40)

    def submit(number: int) -> tuple[int, str]:
        if number < 40:
            begin.wait(60)
        answer = submitter.post(upload, **key)
        return answer.status_code, answer.json().get("id", "")

    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(submit, range(1000)))

    # The limit of submissions refuses most of them before the key is looked at.
    assert {status for status, _ in answers} <= {202, 409, 429}
    assert sum(status != 429 for status, _ in answers) >= 100
    assert len({scan for status, scan in answers if status == 202}) == 1
    listed = submitter.client.get(f"{API}/projects/{submitter.project}/scans", headers=submitter.caller)
    assert len(listed.json()["items"]) == 1
