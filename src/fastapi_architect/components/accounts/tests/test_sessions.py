"""Leaving, and seeing where one is signed in."""

from fastapi.testclient import TestClient
from uuid_utils.compat import uuid7

from fastapi_architect.components.accounts.tests.asking import AUTH, ME, bearer, log_in, refresh, signed_in
from fastapi_architect.components.accounts.tests.example import Service

SESSIONS = f"{ME}/sessions"


def test_signing_out_ends_both_tokens_at_once(service: Service, client: TestClient) -> None:
    service.register(client)
    tokens, other = log_in(client), log_in(client)

    assert client.post(f"{AUTH}/logout", headers=bearer(tokens)).status_code == 204

    assert client.get(ME, headers=bearer(tokens)).status_code == 401
    assert refresh(client, tokens).status_code == 401
    assert client.get(ME, headers=bearer(other)).status_code == 200


def test_signing_out_everywhere_ends_all_sessions(service: Service, client: TestClient) -> None:
    service.register(client)
    sessions = [log_in(client) for _ in range(3)]

    assert client.delete(SESSIONS, headers=bearer(sessions[0])).status_code == 204

    for tokens in sessions:
        assert client.get(ME, headers=bearer(tokens)).status_code == 401
        assert refresh(client, tokens).status_code == 401
    assert log_in(client)


def test_one_sees_where_one_is_signed_in(service: Service, client: TestClient) -> None:
    service.register(client)
    body = {"email": "ada@example.com", "password": "four unrelated words here"}
    client.post(f"{AUTH}/login", json=body, headers={"User-Agent": "telephone\t" + "x" * 500})
    present = log_in(client)

    items = client.get(SESSIONS, headers=bearer(present)).json()["items"]

    assert [item["is_present"] for item in items] == [True, False]
    assert items[1]["client"].startswith("telephonex")
    assert len(items[1]["client"]) == 200
    assert client.delete(f"{SESSIONS}/{items[1]['id']}", headers=bearer(present)).status_code == 204
    assert len(client.get(SESSIONS, headers=bearer(present)).json()["items"]) == 1


def test_nobody_ends_the_session_of_somebody_else(service: Service, client: TestClient) -> None:
    alice = signed_in(service, client, "alice@example.com")
    mallory = signed_in(service, client, "mallory@example.com")
    session_id = client.get(SESSIONS, headers=alice).json()["items"][0]["id"]

    there = client.delete(f"{SESSIONS}/{session_id}", headers=mallory)
    nowhere = client.delete(f"{SESSIONS}/{uuid7()}", headers=mallory)

    assert there.status_code == nowhere.status_code == 404
    assert there.json()["detail"] == nowhere.json()["detail"]
    assert client.get(ME, headers=alice).status_code == 200


def test_strange_names_are_refused(service: Service, client: TestClient) -> None:
    headers = signed_in(service, client)
    for name in ("a\u0000b", "x" * 101, None, 5):
        assert client.patch(ME, json={"display_name": name}, headers=headers).status_code == 422, name


def test_an_owner_does_not_give_themselves_roles(service: Service, client: TestClient) -> None:
    headers = signed_in(service, client)

    for field in ("roles", "is_active", "id", "password_hash", "access_epoch", "version"):
        answer = client.patch(ME, json={"display_name": "Ada", field: ["admin"]}, headers=headers)
        assert answer.status_code == 422
    assert client.get(ME, headers=headers).json()["roles"] == []
