"""Roles and their administration."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from uuid_utils.compat import uuid7

from fastapi_architect.components.access import permission_source_of
from fastapi_architect.components.accounts.tests.asking import (
    ACCOUNTS,
    AUTH,
    ME,
    bearer,
    log_in,
    refresh,
    run,
    signed_in,
)
from fastapi_architect.components.accounts.tests.example import PASSWORD, Service


@pytest.fixture
def admin(service: Service, client: TestClient, database_url: str) -> dict[str, str]:
    headers = signed_in(service, client, "admin@example.com")
    run(database_url, "UPDATE accounts SET roles = '{admin}'")
    return headers


def administer(client: TestClient, headers: dict[str, str], account_id: str, **change: Any) -> Any:
    return client.patch(f"{ACCOUNTS}/{account_id}", json={"version": 1} | change, headers=headers)


def test_a_role_is_good_from_the_next_request_on(
    service: Service, client: TestClient, admin: dict[str, str]
) -> None:
    account_id = service.register(client)
    headers = bearer(log_in(client))
    assert client.post("/items", headers=headers).status_code == 403

    given = administer(client, admin, account_id, roles=["editor"])
    assert given.json()["roles"] == ["editor"]
    assert client.post("/items", headers=headers).status_code == 200

    administer(client, admin, account_id, roles=[], version=given.json()["version"])
    assert client.post("/items", headers=headers).status_code == 403


def test_deactivation_ends_access_at_once_and_for_these_sessions_for_good(
    service: Service, client: TestClient, admin: dict[str, str]
) -> None:
    account_id = service.register(client)
    tokens = log_in(client)

    ended = administer(client, admin, account_id, is_active=False)
    assert ended.json()["is_active"] is False
    assert client.get(ME, headers=bearer(tokens)).status_code == 401
    assert refresh(client, tokens).status_code == 401
    login = {"email": "ada@example.com", "password": PASSWORD}
    assert client.post(f"{AUTH}/login", json=login).status_code == 401

    administer(client, admin, account_id, is_active=True, version=ended.json()["version"])
    assert client.get(ME, headers=bearer(tokens)).status_code == 401
    assert refresh(client, tokens).status_code == 401
    assert log_in(client)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ACCOUNTS), ("GET", f"{ACCOUNTS}/{{id}}"), ("PATCH", f"{ACCOUNTS}/{{id}}")]
)
def test_who_is_no_administrator_sees_and_changes_nothing(
    service: Service, client: TestClient, method: str, path: str
) -> None:
    account_id = service.register(client, "bob@example.com", "completely separate sentence")
    headers = signed_in(service, client)
    body = {"version": 1, "roles": ["admin"]} if method == "PATCH" else None

    answer = client.request(method, path.format(id=account_id), json=body, headers=headers)

    assert answer.status_code == 403
    assert client.request(method, path.format(id=account_id), json=body).status_code == 401


def test_nobody_gives_more_than_they_have(service: Service, client: TestClient, database_url: str) -> None:
    account_id = service.register(client, "bob@example.com", "completely separate sentence")
    helper = signed_in(service, client, "helper@example.com")
    run(database_url, "UPDATE accounts SET roles = '{helper}' WHERE email_key = 'helper@example.com'")

    assert administer(client, helper, account_id, roles=["admin"]).status_code == 403
    assert administer(client, helper, account_id, roles=["helper"]).status_code == 200


def test_nobody_takes_from_who_may_more(
    service: Service, client: TestClient, admin: dict[str, str], database_url: str
) -> None:
    helper = signed_in(service, client, "helper@example.com")
    run(database_url, "UPDATE accounts SET roles = '{helper}' WHERE email_key = 'helper@example.com'")
    admin_id = client.get(ME, headers=admin).json()["id"]

    assert administer(client, helper, admin_id, roles=[]).status_code == 403
    assert administer(client, helper, admin_id, is_active=False).status_code == 403


def test_nobody_administers_themselves(client: TestClient, admin: dict[str, str]) -> None:
    own = client.get(ME, headers=admin).json()["id"]

    assert administer(client, admin, own, roles=[]).status_code == 409
    assert administer(client, admin, own, is_active=False).status_code == 409


def test_a_change_on_the_strength_of_an_old_record_is_refused(
    service: Service, client: TestClient, admin: dict[str, str]
) -> None:
    account_id = service.register(client)
    administer(client, admin, account_id, roles=["editor"])

    assert administer(client, admin, account_id, roles=["admin"]).status_code == 409


STRANGE_CHANGES: list[dict[str, Any]] = [
    {},
    {"roles": None},
    {"roles": ["no-such-role"]},
    {"roles": ["admin\u0000"]},
    {"roles": ["x"] * 51},
    {"roles": "admin"},
    {"is_active": "perhaps"},
    {"version": 0, "roles": []},
    {"version": 2**40, "roles": []},
    {"email": "other@example.com"},
    {"password_hash": "x"},
]


def test_strange_changes_are_refused(service: Service, client: TestClient, admin: dict[str, str]) -> None:
    account_id = service.register(client)
    for change in STRANGE_CHANGES:
        assert administer(client, admin, account_id, **change).status_code == 422, change


def test_an_account_that_does_not_exist_is_not_found(client: TestClient, admin: dict[str, str]) -> None:
    assert client.get(f"{ACCOUNTS}/{uuid7()}", headers=admin).status_code == 404
    assert administer(client, admin, str(uuid7()), roles=[]).status_code == 404
    assert client.get(f"{ACCOUNTS}/x", headers=admin).status_code == 422


def test_accounts_are_listed_in_pages(service: Service, client: TestClient, admin: dict[str, str]) -> None:
    made = [service.register(client, f"person{number}@example.com") for number in range(4)]

    first = client.get(ACCOUNTS, params={"limit": 3}, headers=admin).json()
    rest = client.get(ACCOUNTS, params={"limit": 3, "cursor": first["next_cursor"]}, headers=admin).json()

    assert [item["id"] for item in first["items"] + rest["items"]][:4] == made[::-1]
    assert rest["next_cursor"] is None
    assert "password" not in str(first)


def test_strange_pages_are_refused(client: TestClient, admin: dict[str, str]) -> None:
    for query in ("limit=0", "limit=-1", "limit=10000000", "cursor=x", "cursor=$", "order=email"):
        assert client.get(f"{ACCOUNTS}?{query}", headers=admin).status_code == 422, query


@pytest.mark.anyio
async def test_other_components_learn_what_an_account_may_do_at_present(
    service: Service, database_url: str
) -> None:
    """Keys of API keys, and whatever else acts for somebody, are asked about on each request."""
    with TestClient(service.app) as setting_up:
        account_id = UUID(service.register(setting_up))
    await service.database.engine.dispose()
    run(database_url, "UPDATE accounts SET roles = '{editor,no-such-role}'")
    source = permission_source_of(service.app)
    assert source is service.accounts

    async with service.database.sessions() as session:
        assert await source.permissions_of(account_id, session) == frozenset({"items:write"})
        assert await source.permissions_of(uuid7(), session) is None
    run(database_url, "UPDATE accounts SET deactivated_at = now()")
    async with service.database.sessions() as session:
        assert await source.permissions_of(account_id, session) is None
    await service.database.engine.dispose()
