"""PostgreSQL goes away in the middle of life, and comes back."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Connection, create_engine, event, text

from fastapi_architect.components.database import (
    Base,
    Database,
    DatabaseSettings,
    SessionDep,
    advise_in_doubt,
)
from fastapi_architect.components.database.tests.example import ExampleNote, create_app
from fastapi_architect.components.problem_details import Conflict
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


def breaking(database: Database, end_connections: Callable[[], None]) -> Any:
    """An application whose connections PostgreSQL ends at the moment that the path names."""
    app = create_app(database)

    @app.post("/breaks/{moment}")
    async def break_off(moment: str, session: SessionDep) -> None:
        await session.execute(text("SELECT 1"))
        session.add(ExampleNote(owner_id=uuid4(), title="perhaps"))
        if moment in ("statement", "caught", "rollback"):
            await session.flush()
        if moment in ("commit", "advised commit"):
            event.listen(database.engine.sync_engine, "commit", lambda _: end_connections(), once=True)
        else:
            end_connections()
        if moment == "rollback":
            raise Conflict("Not like this.")
        if moment == "caught":
            try:
                await session.execute(text("SELECT 1"))
            except Exception:
                await session.execute(text("SELECT 1"))
        if moment == "statement":
            await session.execute(text("SELECT 1"))
        if moment == "advised commit":
            advise_in_doubt(session, "Only repeat it.")
        await session.commit()

    @app.post("/forgotten")
    async def forget(session: SessionDep) -> None:
        await session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '20ms'"))
        time.sleep(0.1)
        await session.execute(text("SELECT 1"))

    @app.post("/replica")
    async def write_to_a_replica(session: SessionDep) -> None:
        await session.execute(text("SET TRANSACTION READ ONLY"))
        session.add(ExampleNote(owner_id=uuid4(), title="nowhere"))
        await session.commit()

    return app


@pytest.fixture
def broken(database: Database, superuser_database_url: str) -> Iterator[TestClient]:
    def end_connections() -> None:
        with psycopg.connect(superuser_database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    app = breaking(database, end_connections)
    with TestClient(app, headers={"X-Owner": str(uuid4())}, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("moment", ["flush", "statement", "caught", "rollback"])
def test_a_connection_that_is_lost_before_the_commit_is_a_503(broken: TestClient, moment: str) -> None:
    answer = broken.post(f"/breaks/{moment}")

    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["type"] == "about:blank"
    assert broken.get("/notes").status_code == 200


def test_a_commit_in_doubt_is_a_503_that_says_so(broken: TestClient) -> None:
    answers = [broken.post(f"/breaks/{moment}") for moment in ("commit", "advised commit", "commit")]

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert {answer.headers["retry-after"] for answer in answers} == {"5"}
    assert {answer.json()["type"] for answer in answers} == {"urn:problem-type:outcome-unknown"}
    unknown = "It is not known whether the change was made. "
    assert [answer.json()["detail"] for answer in answers] == [
        unknown + "Look before you try again.",
        unknown + "Only repeat it.",
        unknown + "Look before you try again.",
    ]


@pytest.mark.parametrize("path", ["/forgotten", "/replica"])
def test_what_postgresql_calls_an_internal_error_may_be_its_absence(broken: TestClient, path: str) -> None:
    assert broken.post(path).status_code == 503


def test_a_server_that_dies_in_the_commit_leaves_it_in_doubt(restartable_postgresql: PostgresServer) -> None:
    url = for_sqlalchemy(restartable_postgresql.url)
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    database = Database(DatabaseSettings(url=SecretStr(url), environment=Environment.LOCAL))

    def crash(_connection: Connection) -> None:
        restartable_postgresql.stop("immediate")

    with TestClient(create_app(database), headers={"X-Owner": str(uuid4())}) as client:
        event.listen(database.engine.sync_engine, "commit", crash, once=True)
        answers = [client.post("/notes", json={"title": "perhaps"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [503, 503]
    kinds = [answer.json()["type"] for answer in answers]
    assert kinds == ["urn:problem-type:outcome-unknown", "about:blank"]
