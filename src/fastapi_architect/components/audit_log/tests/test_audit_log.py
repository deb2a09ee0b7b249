"""What was done is remembered, what was not done is not, and nobody rewrites it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from fastapi.testclient import TestClient
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from fastapi_architect.components.audit_log import AuditEvent, record
from fastapi_architect.components.audit_log.migrations import create_audit_log, drop_audit_log
from fastapi_architect.components.audit_log.tests.example import PEOPLE, create_app
from fastapi_architect.components.database import Base, Database
from fastapi_architect.components.testing.servers import for_sqlalchemy

EVENTS = "/api/v1/audit-events"


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    with TestClient(create_app(database)) as client:
        yield client


def events_of(client: TestClient, name: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(EVENTS, headers={"X-Name": name}, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def delete(client: TestClient, **query: str) -> tuple[int, str]:
    thing = str(uuid7())
    answer = client.delete(f"/things/{thing}", headers={"X-Name": "member"}, params=query)
    return answer.status_code, thing


def test_what_was_done_is_remembered_with_who_did_it_and_the_request(client: TestClient) -> None:
    status, thing = delete(client)

    assert status == 204
    (event,) = events_of(client, "auditor")
    assert (event["action"], event["subject_id"]) == ("thing.deleted", thing)
    assert (event["actor_id"], event["actor_method"]) == (str(PEOPLE["member"].id), "name")
    assert event["outcome"] == "done"


def test_what_was_rolled_back_is_not_remembered_as_done(client: TestClient) -> None:
    status, _ = delete(client, in_use="true")

    assert status == 409
    assert events_of(client, "auditor") == []


def test_no_secret_and_no_endless_text_is_written_down(client: TestClient) -> None:
    delete(client)

    details = events_of(client, "auditor")[0]["details"]
    assert details["password"] == "***"
    assert details["nested"] == {"api_key": "***"}
    assert len(details["title"]) == 500
    assert "\x00" not in details["title"]


def test_who_lacks_the_permission_reads_nothing(client: TestClient) -> None:
    assert client.get(EVENTS, headers={"X-Name": "member"}).status_code == 403
    assert client.get(EVENTS).status_code == 401


def test_another_tenant_reads_nothing_of_it(client: TestClient) -> None:
    delete(client)

    assert events_of(client, "auditor of others") == []


def test_events_are_filtered_and_paged_newest_first(client: TestClient) -> None:
    things = [delete(client)[1] for _ in range(3)]

    assert [event["subject_id"] for event in events_of(client, "auditor")] == things[::-1]
    assert [event["subject_id"] for event in events_of(client, "auditor", subject_id=things[0])] == [
        things[0]
    ]
    first = client.get(EVENTS, headers={"X-Name": "auditor"}, params={"limit": 2}).json()
    assert [event["subject_id"] for event in first["items"]] == [things[2], things[1]]
    rest = events_of(client, "auditor", limit="2", cursor=first["next_cursor"])
    assert [event["subject_id"] for event in rest] == [things[0]]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "-1"},
        {"limit": str(2**70)},
        {"cursor": "nonsense"},
        {"subject_id": "a\x00"},
        {"order": "oldest"},
        {"since": "yesterday"},
    ],
)
def test_bad_input_is_refused_as_such(client: TestClient, query: dict[str, str]) -> None:
    answer = client.get(EVENTS, headers={"X-Name": "auditor"}, params=query)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.fixture
def migrated_url(empty_database_url: str) -> str:
    engine = create_engine(for_sqlalchemy(empty_database_url))
    with engine.begin() as connection:
        create_audit_log(Operations(MigrationContext.configure(connection)))
    with Session(engine) as session:
        record(session, "thing.deleted", actor=None, subject_type="thing", subject_id="1")
        session.commit()
    engine.dispose()
    return empty_database_url


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_events SET action = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"],
)
def test_the_role_of_the_service_cannot_rewrite_history_whatever_it_was_granted(
    migrated_url: str, statement: str
) -> None:
    role = sql.Identifier(f"service_{uuid7().hex}")
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        try:
            connection.execute(sql.SQL("GRANT ALL ON audit_events TO {}").format(role))
            connection.execute(sql.SQL("SET ROLE {}").format(role))
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed"):
                connection.execute(statement.encode())
            connection.execute("RESET ROLE")
            rows = connection.execute("SELECT count(*) FROM audit_events").fetchone()
        finally:
            connection.execute("RESET ROLE")
            connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
            connection.execute(sql.SQL("DROP ROLE {}").format(role))
    assert rows == (1,)


def test_the_owner_may_delete_what_need_not_be_kept_any_longer(migrated_url: str) -> None:
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        assert connection.execute("DELETE FROM audit_events").rowcount == 1


def test_the_migration_makes_the_table_of_the_model_and_takes_it_back(empty_database_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from sqlalchemy import MetaData

    wanted = MetaData(naming_convention=Base.metadata.naming_convention)
    Base.metadata.tables[AuditEvent.__tablename__].to_metadata(wanted)
    engine = create_engine(for_sqlalchemy(empty_database_url))
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        create_audit_log(Operations(context))
        assert compare_metadata(context, wanted) == []
        drop_audit_log(Operations(context))
        assert connection.exec_driver_sql("SELECT to_regclass('audit_events')").scalar() is None
    engine.dispose()
