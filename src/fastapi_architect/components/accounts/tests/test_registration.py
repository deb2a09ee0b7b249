"""An account belongs to whoever reads the mail of its address."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from fastapi_architect.components.accounts.tests.asking import (
    AUTH,
    EMAIL,
    ME,
    at_once,
    bearer,
    log_in,
    run,
    statements_of,
)
from fastapi_architect.components.accounts.tests.example import OTHER_PASSWORD, PASSWORD, Service


def ask(client: TestClient, email: str = EMAIL) -> Any:
    return client.post(f"{AUTH}/register", json={"email": email})


def confirm(client: TestClient, token: str, password: str = PASSWORD, **more: Any) -> Any:
    body = {"token": token, "password": password} | more
    return client.post(f"{AUTH}/register/confirm", json=body)


def test_a_stranger_opens_an_account_and_signs_in(service: Service, client: TestClient) -> None:
    assert ask(client).status_code == 202
    answer = confirm(client, service.mailed_token(EMAIL), display_name="Ada")

    assert answer.status_code == 201
    assert answer.json()["roles"] == []
    mine = client.get(ME, headers=bearer(log_in(client))).json()
    assert mine == answer.json()
    assert mine["display_name"] == "Ada"


def test_the_link_stands_on_the_configured_website(service: Service, client: TestClient) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    client.post(f"{AUTH}/register", json={"email": EMAIL}, headers=headers)

    ((_, _, text),) = service.work()
    assert "https://shop.example.com/register#" in text
    assert "evil" not in text


def test_a_link_works_once(service: Service, client: TestClient, database_url: str) -> None:
    ask(client)
    token = service.mailed_token(EMAIL)
    assert confirm(client, token).status_code == 201
    run(database_url, "DELETE FROM account_sessions")
    run(database_url, "DELETE FROM accounts")

    assert confirm(client, token).status_code == 422


def test_an_expired_link_opens_nothing(service: Service, client: TestClient, database_url: str) -> None:
    ask(client)
    token = service.mailed_token(EMAIL)
    run(database_url, "UPDATE account_mailed_tokens SET expires_at = now() - interval '1 second'")

    assert confirm(client, token).status_code == 422


def test_the_answer_and_the_work_do_not_tell_whether_there_is_an_account(
    service: Service, client: TestClient
) -> None:
    service.register(client)
    seen = []
    for email in (EMAIL, "nobody@example.com"):
        service.hasher.hashed = service.hasher.verified = 0
        with statements_of(service.database) as statements:
            answer = ask(client, email)
        hashes = (service.hasher.hashed, service.hasher.verified)
        seen.append((answer.status_code, answer.json(), list(statements), hashes))

    assert seen[0] == seen[1]


def test_who_has_an_account_gets_a_note_instead_of_a_link(service: Service, client: TestClient) -> None:
    service.register(client)
    ask(client)

    ((to, subject, text),) = service.work()
    assert to == EMAIL
    assert "already" in subject
    assert "#" not in text


def test_spellings_of_one_address_are_one_account(service: Service, client: TestClient) -> None:
    service.register(client, "Victim@example.com")
    ask(client, "victim@EXAMPLE.com")

    # To the address that is stored, and not to the one that was asked for.
    ((to, subject, _),) = service.work()
    assert (to, "already" in subject) == ("Victim@example.com", True)
    assert log_in(client, "VICTIM@EXAMPLE.COM")


def test_a_password_chosen_before_the_proof_is_nobodys(service: Service, client: TestClient) -> None:
    """Who registers the address of somebody else first has no way to choose their password."""
    ask(client)
    attackers = client.post(f"{AUTH}/register", json={"email": EMAIL, "password": OTHER_PASSWORD})
    assert attackers.status_code == 422

    confirm(client, service.mailed_token(EMAIL), PASSWORD)
    answer = client.post(f"{AUTH}/login", json={"email": EMAIL, "password": OTHER_PASSWORD})
    assert answer.status_code == 401


def test_two_links_of_one_address_open_one_account(service: Service, client: TestClient) -> None:
    ask(client)
    first = service.mailed_token(EMAIL)
    ask(client)
    second = service.mailed_token(EMAIL)

    assert confirm(client, first).status_code == 201
    assert confirm(client, second, OTHER_PASSWORD).status_code == 409
    assert log_in(client, password=PASSWORD)


@pytest.mark.anyio
async def test_parallel_requests_for_one_address_are_all_accepted(service: Service) -> None:
    answers = await at_once(service, f"{AUTH}/register", [{"email": EMAIL}] * 8)

    assert [answer.status_code for answer in answers] == [202] * 8


@pytest.mark.anyio
async def test_of_parallel_confirmations_one_opens_the_account(service: Service, client: TestClient) -> None:
    tokens = []
    for _ in range(3):
        ask(client)
        tokens.append(service.mailed_token(EMAIL))
    bodies = [{"token": token, "password": PASSWORD} for token in tokens * 3]

    answers = await at_once(service, f"{AUTH}/register/confirm", bodies)

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 409, 422}


def test_a_mailbox_is_not_filled(service: Service, client: TestClient) -> None:
    answers = {ask(client).status_code for _ in range(10)}

    assert answers == {202}
    assert len(service.work()) == service.settings.mails_per_address


def test_a_mail_server_that_was_down_does_not_use_the_limit_up(
    service: Service, client: TestClient, database_url: str
) -> None:
    ask(client)
    service.postbox.failures = 5
    for _ in range(5):
        assert service.work() == []
        run(database_url, "UPDATE outbox_events SET held_until = now()")

    assert confirm(client, service.mailed_token(EMAIL)).status_code == 201


def test_one_place_does_not_ask_for_mails_without_end(service: Service, client: TestClient) -> None:
    statuses = [ask(client, f"person{number}@example.com").status_code for number in range(101)]

    assert statuses[:100] == [202] * 100
    assert statuses[100] == 429


def test_a_token_lies_in_no_table(service: Service, client: TestClient, database_url: str) -> None:
    ask(client)
    token = service.mailed_token(EMAIL)

    for table in ("account_mailed_tokens", "outbox_events"):
        assert token not in str(run(database_url, f"SELECT * FROM {table}"))


STRANGE_REQUESTS: list[dict[str, Any]] = [
    {},
    {"email": None},
    {"email": ""},
    {"email": "ada"},
    {"email": "a\u0000da@example.com"},
    {"email": "ad\u00e4@example.com"},
    {"email": "ada@example.com\r\nBcc: bob@example.com"},
    {"email": "ada@example.com, bob@example.com"},
    {"email": "x" * 300 + "@example.com"},
    {"email": ["ada@example.com"]},
    {"email": EMAIL, "roles": ["admin"]},
]


def test_strange_requests_are_refused(client: TestClient) -> None:
    for body in STRANGE_REQUESTS:
        assert client.post(f"{AUTH}/register", json=body).status_code == 422, body


STRANGE_CONFIRMATIONS: list[dict[str, Any]] = [
    {"password": "1"},
    {"password": "elevenchars"},
    {"password": "x" * 129},
    {"password": "x" * 1_000_000},
    {"password": None},
    {"password": "password1234"},
    {"password": "ada@example.com"},
    {"display_name": "a\u0000b"},
    {"display_name": "x" * 101},
    {"display_name": None},
    {"token": ""},
    {"token": "x" * 43},
    {"token": None},
    {"roles": ["admin"]},
    {"email": "somebody@example.com"},
]


def test_strange_confirmations_are_refused_and_leave_the_link_usable(
    service: Service, client: TestClient
) -> None:
    ask(client)
    token = service.mailed_token(EMAIL)
    for change in STRANGE_CONFIRMATIONS:
        body = {"token": token, "password": PASSWORD} | change

        answer = client.post(f"{AUTH}/register/confirm", json=body)

        assert answer.status_code == 422, change
        assert answer.headers["content-type"] == "application/problem+json"
        if len(str(change.get("password"))) > 5:
            assert str(change.get("password"))[:20] not in answer.text
    assert confirm(client, token).status_code == 201


def test_a_password_may_hold_any_letters(service: Service, client: TestClient) -> None:
    password = "\t caf\u00e9 \U0001f40d tea and \u4e2d\u6587"
    service.register(client, password=password)

    assert log_in(client, password=password)
