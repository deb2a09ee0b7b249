"""A password that was printed for somebody is good for one thing: to choose another."""

import asyncio

import pytest
from fastapi.testclient import TestClient

from fastapi_architect.components.accounts.opening import open_account
from fastapi_architect.components.accounts.passwords import PasswordHashing
from fastapi_architect.components.accounts.tests.asking import (
    ACCOUNTS,
    AUTH,
    EMAIL,
    ME,
    bearer,
    log_in,
    refresh,
    run,
)
from fastapi_architect.components.accounts.tests.example import OTHER_PASSWORD, CountingHasher, Service
from fastapi_architect.components.database import Database

CHANGE = f"{ME}/password"
MADE_FOR_SOMEBODY = "urn:problem-type:password-must-be-changed"
LET_IT_END = "UPDATE accounts SET initial_password_until = now() - interval '1 second'"


def opened(service: Service, *, one_time: bool = True) -> str | None:
    """Open an account as the command line does, in an event loop of its own."""

    async def work() -> str | None:
        database = Database(service.database.settings)
        try:
            hashing = PasswordHashing(CountingHasher())
            return await open_account(database, hashing, EMAIL, ["admin"], one_time=one_time)
        finally:
            await database.engine.dispose()

    return asyncio.run(work())


def test_a_password_that_was_made_for_somebody_only_chooses_another(
    service: Service, client: TestClient
) -> None:
    password = opened(service)
    assert password is not None
    tokens = log_in(client, EMAIL, password)

    for method, path in (
        ("GET", "/who"),
        ("POST", "/items"),
        ("GET", ACCOUNTS),
        ("GET", ME),
        ("PUT", f"{ME}/email"),
        ("DELETE", f"{ME}/sessions"),
        ("POST", f"{AUTH}/logout"),
    ):
        refused = client.request(method, path, headers=bearer(tokens))
        assert (refused.status_code, refused.json()["type"]) == (403, MADE_FOR_SOMEBODY), path
        assert (refused.json()["method"], refused.json()["path"]) == ("PUT", CHANGE)
    refreshed = refresh(client, tokens).json()
    assert client.get("/who", headers=bearer(refreshed)).status_code == 403
    assert client.get("/open").status_code == 200

    change = {"present_password": password, "password": OTHER_PASSWORD}
    assert client.put(CHANGE, json=change, headers=bearer(refreshed)).status_code == 204
    assert client.get("/who", headers=bearer(refreshed)).status_code == 401
    assert client.get(ACCOUNTS, headers=bearer(log_in(client, EMAIL, OTHER_PASSWORD))).status_code == 200
    again = client.post(f"{AUTH}/login", json={"email": EMAIL, "password": password})
    assert again.status_code == 401


def test_the_password_that_was_made_is_not_the_one_that_is_chosen(
    service: Service, client: TestClient
) -> None:
    password = str(opened(service))
    change = {"present_password": password, "password": password}

    assert client.put(CHANGE, json=change, headers=bearer(log_in(client, EMAIL, password))).status_code == 422
    assert client.get("/who", headers=bearer(log_in(client, EMAIL, password))).status_code == 403


def test_a_one_time_password_ends_and_is_made_anew(
    service: Service, client: TestClient, database_url: str
) -> None:
    first = str(opened(service))
    tokens = log_in(client, EMAIL, first)
    assert opened(service) is None
    run(database_url, LET_IT_END)

    late = client.post(f"{AUTH}/login", json={"email": EMAIL, "password": first})
    unknown = client.post(f"{AUTH}/login", json={"email": "nobody@example.com", "password": first})
    assert late.status_code == unknown.status_code == 401
    assert late.json()["detail"] == unknown.json()["detail"]
    change = {"present_password": first, "password": OTHER_PASSWORD}
    assert client.put(CHANGE, json=change, headers=bearer(tokens)).status_code == 403

    second = opened(service)
    assert second not in (None, first)
    assert client.get("/who", headers=bearer(tokens)).status_code == 401
    assert client.get("/who", headers=bearer(log_in(client, EMAIL, str(second)))).status_code == 403


def test_a_password_of_ones_own_is_never_made_anew(
    service: Service, client: TestClient, database_url: str
) -> None:
    first = str(opened(service))
    change = {"present_password": first, "password": OTHER_PASSWORD}
    client.put(CHANGE, json=change, headers=bearer(log_in(client, EMAIL, first)))

    assert opened(service) is None
    assert client.get("/who", headers=bearer(log_in(client, EMAIL, OTHER_PASSWORD))).status_code == 200


def test_a_reset_by_mail_is_a_choice_too(service: Service, client: TestClient) -> None:
    opened(service)
    client.post(f"{AUTH}/forgot-password", json={"email": EMAIL})
    reset = {"token": service.mailed_token(EMAIL), "password": OTHER_PASSWORD}

    assert client.post(f"{AUTH}/reset-password", json=reset).status_code == 204
    assert client.get("/who", headers=bearer(log_in(client, EMAIL, OTHER_PASSWORD))).status_code == 200


@pytest.mark.parametrize("is_one_time", [True, False])
def test_only_a_one_time_password_has_to_be_changed(
    service: Service, client: TestClient, is_one_time: bool
) -> None:
    password = str(opened(service, one_time=is_one_time))

    status = client.get("/who", headers=bearer(log_in(client, EMAIL, password))).status_code
    assert status == (403 if is_one_time else 200)
