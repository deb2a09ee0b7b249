"""What was done is remembered, what was not done is not, and nobody rewrites it."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from fastapi.testclient import TestClient
from psycopg import sql
from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from fastapi_architect.components.audit_log import (
    AuditEvent,
    protect_audit_log,
    record,
    unprotect_audit_log,
)
from fastapi_architect.components.audit_log.migrations import create_audit_log, drop_audit_log
from fastapi_architect.components.audit_log.row_level_security import OVERVIEW
from fastapi_architect.components.audit_log.tests.example import (
    OTHER_TENANT,
    PEOPLE,
    TENANT,
    auditor_of_tenant,
    create_app,
)
from fastapi_architect.components.database import Base, Database, bind_worker_setting
from fastapi_architect.components.testing.databases import run_operations
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


def test_a_guard_of_ones_own_says_for_which_tenant_somebody_reads(database: Database) -> None:
    with TestClient(create_app(database, guard=auditor_of_tenant)) as client:
        delete(client)
        nobody_yet = {"X-Name": "of no tenant yet"}
        theirs = client.get(EVENTS, headers=nobody_yet | {"X-Tenant": str(TENANT)})
        foreign = client.get(EVENTS, headers=nobody_yet | {"X-Tenant": str(OTHER_TENANT)})

    assert [event["action"] for event in theirs.json()["items"]] == ["thing.deleted"]
    assert foreign.status_code == 403


def test_an_operator_reads_the_events_of_every_tenant_and_nobody_else_does(client: TestClient) -> None:
    delete(client)
    overview = "/api/v1/service/audit-events"

    seen = client.get(overview, headers={"X-Name": "operator"})
    other = client.get(overview, headers={"X-Name": "operator"}, params={"tenant_id": str(OTHER_TENANT)})

    assert [event["tenant_id"] for event in seen.json()["items"]] == [str(TENANT)]
    assert other.json()["items"] == []
    assert client.get(overview, headers={"X-Name": "auditor"}).status_code == 403


def test_what_other_components_tell_of_is_noted_in_the_transaction_of_the_act(client: TestClient) -> None:
    thing = uuid7()
    changed = client.put(f"/things/{thing}", headers={"X-Name": "member"})
    refused = client.put(f"/things/{uuid7()}", headers={"X-Name": "member"}, params={"in_use": "true"})

    assert (changed.status_code, refused.status_code) == (204, 409)
    (event,) = events_of(client, "auditor")
    assert (event["action"], event["subject_id"]) == ("thing.changed", str(thing))
    assert (event["actor_id"], event["details"]) == (str(PEOPLE["member"].id), {"token": "***"})


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


@pytest.fixture
def walled(owner_database_url: str, database_url: str) -> Iterator[Callable[..., Session]]:
    """Sessions of the service's role behind the second wall, bound to a tenant or to none."""
    run_operations(owner_database_url, protect_audit_log)
    engine = create_engine(database_url)

    def session(tenant: object = None, *, overview: bool = False) -> Session:
        made = Session(engine)
        bind_worker_setting(made, "app.tenant_id", tenant)
        if overview:
            bind_worker_setting(made, OVERVIEW, "on")
        return made

    yield session
    engine.dispose()


def note(session: Session, tenant: UUID | None) -> None:
    record(session, "thing.made", actor=None, subject_type="thing", subject_id="1", tenant_id=tenant)
    session.commit()


def test_postgresql_itself_shows_a_tenant_its_own_events(walled: Callable[..., Session]) -> None:
    for tenant in (TENANT, OTHER_TENANT, None):
        with walled(tenant) as session:
            note(session, tenant)

    def seen(tenant: object = None, *, overview: bool = False) -> list[UUID | None]:
        with walled(tenant, overview=overview) as session:
            return list(session.scalars(select(AuditEvent.tenant_id).order_by(AuditEvent.id)))

    assert seen(TENANT) == [TENANT]
    assert seen(OTHER_TENANT) == [OTHER_TENANT]
    assert seen() == [None]
    assert seen(TENANT, overview=True) == [TENANT, OTHER_TENANT, None]


def test_nobody_adds_to_the_log_of_another_tenant(walled: Callable[..., Session]) -> None:
    with walled(TENANT) as session:
        note(session, None)  # an affair of the service itself
        with pytest.raises(ProgrammingError, match="row-level security"):
            note(session, OTHER_TENANT)


def test_the_second_wall_can_be_taken_down_again(owner_database_url: str, database_url: str) -> None:
    run_operations(owner_database_url, protect_audit_log, unprotect_audit_log)
    engine = create_engine(database_url)
    with Session(engine) as session:
        note(session, TENANT)
        assert session.scalar(select(func.count()).select_from(AuditEvent)) == 1
    engine.dispose()
