"""A key does what it was made for, as long as it was made for, and nothing else."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, event, text

from fastapi_architect.components.api_keys.tests.example import (
    BAKERY,
    FORGE,
    IDENTIFIERS,
    Diary,
    People,
    create_app,
    member_of_named,
)
from fastapi_architect.components.database import Database

KEYS = "/api/v1/api-keys"
ALICE, MALLORY, ADMIN = ({"X-Name": name} for name in ("alice", "mallory", "admin"))


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def app(database: Database, people: People) -> FastAPI:
    return create_app(database, people)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


def create(client: TestClient, caller: dict[str, str] = ALICE, **wanted: Any) -> dict[str, Any]:
    answer = client.post(KEYS, json={"name": "export", "scopes": ["items:read"]} | wanted, headers=caller)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def with_key(key: str) -> dict[str, str]:
    return {"X-API-Key": key}


def run(database_url: str, statement: str) -> Any:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        rows = result.all() if result.returns_rows else None
    engine.dispose()
    return rows


def test_a_key_acts_for_its_owner(client: TestClient) -> None:
    made = create(client)

    assert client.get("/items", headers=with_key(made["key"])).json() == str(IDENTIFIERS["alice"])


def test_a_key_is_shown_once_and_stored_as_a_hash(client: TestClient, database_url: str) -> None:
    made = create(client)
    secret = made["key"].removeprefix(made["hint"])

    assert made["key"].startswith("shop_")
    assert secret not in client.get(f"{KEYS}/{made['id']}", headers=ALICE).text
    assert secret not in client.get(KEYS, headers=ALICE).text
    assert secret not in str(run(database_url, "SELECT * FROM api_keys"))


def test_a_key_does_only_what_it_was_made_for(client: TestClient) -> None:
    made = create(client, scopes=["items:read"])

    assert client.get("/items", headers=with_key(made["key"])).status_code == 200
    assert client.post("/items", headers=with_key(made["key"])).status_code == 403


def test_a_key_never_does_more_than_its_creator(client: TestClient) -> None:
    answer = client.post(KEYS, json={"name": "more", "scopes": ["items:write"]}, headers=MALLORY)

    assert answer.status_code == 403


def test_what_its_owner_loses_the_key_loses(client: TestClient, people: People) -> None:
    made = create(client, scopes=["items:read", "items:write"])
    people.permissions[IDENTIFIERS["alice"]] = frozenset({"items:read"})

    assert client.post("/items", headers=with_key(made["key"])).status_code == 403
    assert client.get("/items", headers=with_key(made["key"])).status_code == 200


def test_the_keys_of_who_is_locked_out_end_at_once(client: TestClient, people: People) -> None:
    made = create(client)
    del people.permissions[IDENTIFIERS["alice"]]

    assert client.get("/items", headers=with_key(made["key"])).status_code == 401


def test_a_revoked_key_ends_at_once(client: TestClient) -> None:
    made = create(client)

    assert client.delete(f"{KEYS}/{made['id']}", headers=ALICE).status_code == 204
    assert client.get("/items", headers=with_key(made["key"])).status_code == 401
    first_end = client.get(f"{KEYS}/{made['id']}", headers=ALICE).json()["revoked_at"]
    assert client.delete(f"{KEYS}/{made['id']}", headers=ALICE).status_code == 204
    assert client.get(f"{KEYS}/{made['id']}", headers=ALICE).json()["revoked_at"] == first_end


def test_an_expired_key_is_refused(client: TestClient, database_url: str) -> None:
    made = create(client)
    run(database_url, "UPDATE api_keys SET expires_at = now() - interval '1 second'")

    assert client.get("/items", headers=with_key(made["key"])).status_code == 401


@pytest.mark.parametrize(
    "broken",
    ["", "nonsense", "shop_", "shop_" + "A" * 46, "x" * 10_000, "app_" + "A" * 46, "shop_\u00e9" + "A" * 45],
)
def test_a_made_up_key_is_refused_without_asking_the_database(
    client: TestClient, database: Database, broken: str
) -> None:
    statements: list[str] = []
    event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda *seen: statements.append(seen[2])
    )

    answer = client.get("/items", headers=[(b"X-API-Key", broken.encode("latin-1"))])

    assert answer.status_code == 401
    assert statements == []


def test_a_mistyped_key_is_refused(client: TestClient) -> None:
    key = create(client)["key"]
    mistyped = key[:10] + ("a" if key[10] != "a" else "b") + key[11:]

    assert client.get("/items", headers=with_key(mistyped)).status_code == 401


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_nobody_reaches_the_keys_of_somebody_else(client: TestClient, method: str) -> None:
    made = create(client)
    there = client.request(method, f"{KEYS}/{made['id']}", headers=MALLORY)
    nowhere = client.request(method, f"{KEYS}/{IDENTIFIERS['alice']}", headers=MALLORY)

    assert there.status_code == nowhere.status_code == 404
    assert there.json()["detail"] == nowhere.json()["detail"]
    assert client.get(KEYS, headers=MALLORY).json()["items"] == []
    assert client.get("/items", headers=with_key(made["key"])).status_code == 200


def test_a_stolen_key_does_not_multiply(client: TestClient) -> None:
    made = create(client)

    for wanted in ({}, {"for_service": True}):
        body = {"name": "next", "scopes": ["items:read"]} | wanted
        assert client.post(KEYS, json=body, headers=with_key(made["key"])).status_code == 403


def test_a_key_of_a_service_is_made_by_a_manager_and_acts_for_nobody(client: TestClient) -> None:
    body = {"name": "importer", "scopes": ["items:read"], "for_service": True}
    assert client.post(KEYS, json=body, headers=ALICE).status_code == 403

    made = create(client, ADMIN, **body)

    assert client.get("/items", headers=with_key(made["key"])).json() == made["id"]
    assert client.get(f"{KEYS}/{made['id']}", headers=ALICE).status_code == 404


@pytest.fixture
def of_organisations(database: Database, people: People) -> Iterator[TestClient]:
    """A client of a service whose keys are good for one organisation each."""
    with TestClient(create_app(database, people, guard=member_of_named)) as client:
        yield client


def at(caller: dict[str, str], tenant: object) -> dict[str, str]:
    return caller | {"X-Tenant": str(tenant)}


def test_a_key_of_an_organisation_is_limited_by_the_role_of_whoever_makes_it_there(
    of_organisations: TestClient,
) -> None:
    body = {"name": "ci", "scopes": ["items:write"]}

    # She may write in the forge and as a person, and not in the bakery.
    there = of_organisations.post(KEYS, json=body, headers=at(ALICE, FORGE))
    here = of_organisations.post(KEYS, json=body, headers=at(ALICE, BAKERY))

    assert (there.status_code, here.status_code) == (201, 403)
    assert "items:write" in here.json()["detail"]


def test_a_manager_of_an_organisation_sees_and_revokes_its_keys_and_no_others(
    of_organisations: TestClient,
) -> None:
    made = create(of_organisations, at(ALICE, BAKERY))
    other = create(of_organisations, at(ALICE, FORGE))

    seen = of_organisations.get(KEYS, headers=at(ADMIN, BAKERY)).json()["items"]
    refused = of_organisations.delete(f"{KEYS}/{other['id']}", headers=at(ADMIN, BAKERY))
    revoked = of_organisations.delete(f"{KEYS}/{made['id']}", headers=at(ADMIN, BAKERY))

    assert [(each["id"], each["owner_id"]) for each in seen] == [(made["id"], str(IDENTIFIERS["alice"]))]
    assert (refused.status_code, revoked.status_code) == (404, 204)
    assert of_organisations.get("/items", headers=with_key(made["key"])).status_code == 401
    assert of_organisations.get("/items", headers=with_key(other["key"])).status_code == 200


def test_in_an_organisation_no_key_acts_for_nobody(of_organisations: TestClient) -> None:
    body = {"name": "ci", "scopes": [], "for_service": True}

    answer = of_organisations.post(KEYS, json=body, headers=at(ADMIN, BAKERY))

    assert answer.status_code == 403
    assert "for_service" in answer.json()["detail"]


def test_making_and_revoking_a_key_is_told_to_witnesses_without_the_key(database: Database) -> None:
    diary = Diary()
    with TestClient(create_app(database, diary=diary)) as client:
        made = create(client)
        client.delete(f"{KEYS}/{made['id']}", headers=ALICE)

    assert [act.action for act in diary.acts] == ["api_key.created", "api_key.revoked"]
    assert {str(act.subject_id) for act in diary.acts} == {made["id"]}
    assert diary.acts[0].details["scopes"] == ["items:read"]
    assert made["key"] not in str(diary.acts)


def test_a_manager_does_not_see_the_keys_of_people(client: TestClient) -> None:
    made = create(client)

    assert client.get(f"{KEYS}/{made['id']}", headers=ADMIN).status_code == 404


def test_the_use_of_a_key_is_noted_without_a_write_for_each_request(
    client: TestClient, database: Database
) -> None:
    made = create(client)
    writes: list[str] = []

    def count(*seen: Any) -> None:
        if seen[2].startswith("UPDATE"):
            writes.append(seen[2])

    event.listen(database.engine.sync_engine, "before_cursor_execute", count)
    for _ in range(5):
        assert client.get("/items", headers=with_key(made["key"])).status_code == 200

    assert len(writes) == 1
    assert client.get(f"{KEYS}/{made['id']}", headers=ALICE).json()["last_used_at"] is not None


def test_a_key_that_another_transaction_holds_is_served_all_the_same(
    client: TestClient, database_url: str
) -> None:
    made = create(client)
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("SELECT 1 FROM api_keys FOR UPDATE"))
        assert client.get("/items", headers=with_key(made["key"])).status_code == 200
    engine.dispose()


def test_keys_are_listed_in_pages(client: TestClient) -> None:
    made = [create(client, name=f"key {number}")["id"] for number in range(5)]

    first = client.get(KEYS, params={"limit": 3}, headers=ALICE).json()
    rest = client.get(KEYS, params={"limit": 3, "cursor": first["next_cursor"]}, headers=ALICE).json()

    assert [key["id"] for key in first["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None


STRANGE_KEYS: list[dict[str, Any]] = [
    {"name": "a\u0000b"},
    {"name": ""},
    {"name": "x" * 101},
    {"scopes": ["items:read\u0000"]},
    {"scopes": ["items:read"] * 101},
    {"scopes": None},
    {"days": 0},
    {"days": -1},
    {"days": 366},
    {"days": 2**70},
    {"owner_id": str(IDENTIFIERS["admin"])},
    {"for_service": "yes"},
]


def test_strange_input_is_refused(client: TestClient) -> None:
    for wanted in STRANGE_KEYS:
        answer = client.post(KEYS, json={"name": "export", "scopes": []} | wanted, headers=ALICE)

        assert answer.status_code == 422, wanted
        assert answer.headers["content-type"] == "application/problem+json"


def test_strange_pages_are_refused(client: TestClient) -> None:
    for query in ("limit=0", "limit=-1", "limit=10000000", "limit=x", "cursor=x", "cursor=$", "order=name"):
        assert client.get(f"{KEYS}?{query}", headers=ALICE).status_code == 422, query


def test_every_operation_is_documented(app: FastAPI) -> None:
    document = app.openapi()
    operations = [
        operation
        for path, methods in document["paths"].items()
        if path.startswith(KEYS)
        for operation in methods.values()
    ]

    assert len(operations) == 4
    for operation in operations:
        assert operation["security"] == [{"name": []}, {"api_key": []}]
        assert {"401"} <= set(operation["responses"])
        assert operation["summary"]
        assert operation["description"]


@pytest.mark.anyio
async def test_concurrent_requests_with_one_key_are_all_served(app: FastAPI, client: TestClient) -> None:
    key = create(client)["key"]

    answers = await asyncio.gather(
        *(asyncio.to_thread(client.get, "/items", headers=with_key(key)) for _ in range(8))
    )

    assert [answer.status_code for answer in answers] == [200] * 8
