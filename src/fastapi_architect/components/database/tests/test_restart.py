"""PostgreSQL goes away in the middle of life, and comes back."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import create_engine

from fastapi_architect.components.database import Base, Database, DatabaseSettings
from fastapi_architect.components.database.tests.example import create_app
from fastapi_architect.components.service import Environment
from fastapi_architect.components.testing.servers import PostgresServer, for_sqlalchemy


@pytest.fixture
def client(restartable_postgresql: PostgresServer) -> Iterator[TestClient]:
    url = for_sqlalchemy(restartable_postgresql.url)
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    settings = DatabaseSettings(url=SecretStr(url), environment=Environment.LOCAL)
    headers = {"X-Owner": str(uuid4())}
    with TestClient(create_app(Database(settings)), headers=headers, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_it_says_when_to_come_back_and_works_again_at_once(
    client: TestClient, restartable_postgresql: PostgresServer, mode: str
) -> None:
    kept = client.post("/notes", json={"title": "kept"}).json()

    restartable_postgresql.stop(mode)
    for _ in range(3):
        for answer in (client.get("/notes"), client.post("/notes", json={"title": "lost"})):
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.headers["content-type"] == "application/problem+json"
            assert "postgres" not in answer.text.lower()

    restartable_postgresql.start()
    started = time.monotonic()
    answers = [client.get("/notes")]
    assert time.monotonic() - started < 2
    answers += [client.get("/notes") for _ in range(19)]

    assert {answer.status_code for answer in answers} == {200}
    assert [note["id"] for note in answers[0].json()["items"]] == [kept["id"]]


def test_a_server_that_was_down_at_the_start_is_found_later(restartable_postgresql: PostgresServer) -> None:
    url = for_sqlalchemy(restartable_postgresql.url)
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    restartable_postgresql.stop()
    settings = DatabaseSettings(url=SecretStr(url), environment=Environment.LOCAL)
    headers = {"X-Owner": str(uuid4())}

    with TestClient(create_app(Database(settings)), headers=headers) as client:
        assert client.get("/notes").status_code == 503
        restartable_postgresql.start()
        assert client.get("/notes").status_code == 200


def test_a_full_pool_is_a_refusal_and_not_a_failure(restartable_postgresql: PostgresServer) -> None:
    url = for_sqlalchemy(restartable_postgresql.url)
    settings = DatabaseSettings(
        url=SecretStr(url), pool_size=1, max_overflow=0, pool_timeout=0.1, environment=Environment.LOCAL
    )
    database = Database(settings)

    with TestClient(create_app(database), headers={"X-Owner": str(uuid4())}) as client:
        assert client.portal is not None
        held = client.portal.call(database.engine.connect().start)
        answer = client.get("/notes")
        client.portal.call(held.close)

    assert answer.status_code == 503
    assert "retry-after" in answer.headers
