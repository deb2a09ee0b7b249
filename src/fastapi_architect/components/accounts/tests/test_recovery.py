"""Getting back in, and changing what one gets in with."""

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
    refresh,
    run,
    signed_in,
    statements_of,
)
from fastapi_architect.components.accounts.tests.example import OTHER_PASSWORD, PASSWORD, Service


def ask_for_reset(client: TestClient, email: str = EMAIL) -> Any:
    return client.post(f"{AUTH}/forgot-password", json={"email": email})


def reset(client: TestClient, token: str, password: str = OTHER_PASSWORD) -> Any:
    return client.post(f"{AUTH}/reset-password", json={"token": token, "password": password})


def change_email(client: TestClient, headers: dict[str, str], email: str, password: str = PASSWORD) -> Any:
    return client.put(f"{ME}/email", json={"email": email, "password": password}, headers=headers)


def confirm_email(client: TestClient, token: str) -> Any:
    return client.post(f"{AUTH}/confirm-email", json={"token": token})


def test_a_reset_sets_the_password_and_ends_everything(service: Service, client: TestClient) -> None:
    service.register(client)
    tokens = log_in(client)
    ask_for_reset(client)

    assert reset(client, service.mailed_token(EMAIL)).status_code == 204

    assert client.get(ME, headers=bearer(tokens)).status_code == 401
    assert refresh(client, tokens).status_code == 401
    assert client.post(f"{AUTH}/login", json={"email": EMAIL, "password": PASSWORD}).status_code == 401
    assert log_in(client, password=OTHER_PASSWORD)


def test_a_reset_link_works_once_and_ends_the_others(service: Service, client: TestClient) -> None:
    service.register(client)
    ask_for_reset(client)
    first = service.mailed_token(EMAIL)
    ask_for_reset(client)
    second = service.mailed_token(EMAIL)

    assert reset(client, second).status_code == 204
    assert reset(client, second, "a third sentence of words").status_code == 422
    assert reset(client, first, "a third sentence of words").status_code == 422
    assert log_in(client, password=OTHER_PASSWORD)


@pytest.mark.anyio
async def test_of_parallel_resets_with_one_link_one_succeeds(service: Service, client: TestClient) -> None:
    service.register(client)
    ask_for_reset(client)
    token = service.mailed_token(EMAIL)
    bodies = [{"token": token, "password": f"sentence of words {number:03}"} for number in range(6)]

    answers = await at_once(service, f"{AUTH}/reset-password", bodies)

    assert sorted(answer.status_code for answer in answers) == [204] + [422] * 5


def test_an_expired_reset_link_does_nothing(service: Service, client: TestClient, database_url: str) -> None:
    service.register(client)
    ask_for_reset(client)
    token = service.mailed_token(EMAIL)
    run(database_url, "UPDATE account_mailed_tokens SET expires_at = now() - interval '1 second'")

    assert reset(client, token).status_code == 422
    assert log_in(client)


def test_asking_does_not_tell_whether_there_is_an_account(service: Service, client: TestClient) -> None:
    service.register(client)
    seen = []
    for email in (EMAIL, "nobody@example.com"):
        service.hasher.hashed = service.hasher.verified = 0
        with statements_of(service.database) as statements:
            answer = ask_for_reset(client, email)
        seen.append((answer.status_code, answer.json(), list(statements), service.hasher.verified))

    assert seen[0] == seen[1]
    assert [to for to, _, _ in service.work()] == [EMAIL]


def test_a_reset_is_mailed_to_the_stored_address(service: Service, client: TestClient) -> None:
    """Letters that become alike have been used to have somebody else's link sent to a mailbox of one's own."""
    service.register(client, "Mike@example.com")
    assert ask_for_reset(client, "m\u0131ke@example.com").status_code == 422
    ask_for_reset(client, "MIKE@EXAMPLE.COM")

    assert [to for to, _, _ in service.work()] == ["Mike@example.com"]


def test_a_deactivated_account_gets_no_link_and_uses_none(
    service: Service, client: TestClient, database_url: str
) -> None:
    service.register(client)
    ask_for_reset(client)
    token = service.mailed_token(EMAIL)
    run(database_url, "UPDATE accounts SET deactivated_at = now()")
    ask_for_reset(client)

    assert service.work() == []
    assert reset(client, token).status_code == 422


@pytest.mark.parametrize("password", ["1", "elevenchars", "password1234", "x" * 129, None])
def test_a_weak_new_password_is_refused_and_the_link_stays_usable(
    service: Service, client: TestClient, password: Any
) -> None:
    service.register(client)
    ask_for_reset(client)
    token = service.mailed_token(EMAIL)

    assert reset(client, token, password).status_code == 422
    assert reset(client, token).status_code == 204


def test_a_changed_password_ends_everything_and_is_told(service: Service, client: TestClient) -> None:
    headers = signed_in(service, client)
    other = log_in(client)
    body = {"present_password": PASSWORD, "password": OTHER_PASSWORD}

    assert client.put(f"{ME}/password", json=body, headers=headers).status_code == 204

    assert client.get(ME, headers=headers).status_code == 401
    assert client.get(ME, headers=bearer(other)).status_code == 401
    assert refresh(client, other).status_code == 401
    assert log_in(client, password=OTHER_PASSWORD)
    ((to, subject, _),) = service.work()
    assert (to, "changed" in subject) == (EMAIL, True)


def test_an_open_reset_link_does_not_survive_a_changed_password(service: Service, client: TestClient) -> None:
    headers = signed_in(service, client)
    ask_for_reset(client)
    token = service.mailed_token(EMAIL)
    body = {"present_password": PASSWORD, "password": OTHER_PASSWORD}
    client.put(f"{ME}/password", json=body, headers=headers)

    assert reset(client, token, "a third sentence of words").status_code == 422


def test_who_stole_a_session_does_not_guess_the_password(service: Service, client: TestClient) -> None:
    headers = signed_in(service, client)
    body = {"present_password": "some entirely wrong phrase", "password": OTHER_PASSWORD}
    statuses = [client.put(f"{ME}/password", json=body, headers=headers).status_code for _ in range(11)]

    assert statuses == [403] * 10 + [429]
    assert client.get(ME, headers=headers).status_code == 200


def test_an_address_changes_when_the_new_one_is_proved(service: Service, client: TestClient) -> None:
    headers = signed_in(service, client)
    new = "ada@example.org"
    assert change_email(client, headers, new).status_code == 202
    assert client.get(ME, headers=headers).json()["email"] == EMAIL
    mails = service.work()
    assert sorted(to for to, _, _ in mails) == [EMAIL, new]
    token = next(text.split("#")[1].split()[0] for to, _, text in mails if to == new)

    assert confirm_email(client, token).status_code == 204

    assert client.get(ME, headers=headers).json()["email"] == new
    assert client.post(f"{AUTH}/login", json={"email": EMAIL, "password": PASSWORD}).status_code == 401
    assert log_in(client, new)
    assert [to for to, _, _ in service.work()] == [EMAIL]
    assert confirm_email(client, token).status_code == 422


def test_an_address_does_not_change_without_the_password(service: Service, client: TestClient) -> None:
    headers = signed_in(service, client)

    assert change_email(client, headers, "evil@example.com", "not the password at all").status_code == 403
    assert client.patch(ME, json={"email": "evil@example.com"}, headers=headers).status_code == 422
    assert service.work() == []


def test_asking_for_a_taken_address_tells_nothing_and_changes_nothing(
    service: Service, client: TestClient
) -> None:
    service.register(client, "bob@example.com", OTHER_PASSWORD)
    headers = signed_in(service, client)

    taken = change_email(client, headers, "BOB@example.com")
    mails = {to: text for to, _, text in service.work()}
    free = change_email(client, headers, "free@example.com")

    assert (taken.status_code, taken.json()) == (free.status_code, free.json())
    assert "#" not in mails["BOB@example.com"]


def test_an_address_that_was_taken_meanwhile_is_refused(service: Service, client: TestClient) -> None:
    headers = signed_in(service, client)
    change_email(client, headers, "new@example.com")
    token = service.mailed_token("new@example.com")
    service.register(client, "new@example.com", OTHER_PASSWORD)

    assert confirm_email(client, token).status_code == 409
    assert client.get(ME, headers=headers).json()["email"] == EMAIL


def test_links_to_the_old_address_end_with_it(service: Service, client: TestClient) -> None:
    headers = signed_in(service, client)
    ask_for_reset(client)
    old = service.mailed_token(EMAIL)
    change_email(client, headers, "new@example.com")
    confirm_email(client, service.mailed_token("new@example.com"))

    assert reset(client, old).status_code == 422


def test_a_change_of_address_that_a_thief_began_ends_with_a_reset(
    service: Service, client: TestClient
) -> None:
    headers = signed_in(service, client)
    change_email(client, headers, "thief@example.com")
    thiefs = service.mailed_token("thief@example.com")
    ask_for_reset(client)
    reset(client, service.mailed_token(EMAIL))

    assert confirm_email(client, thiefs).status_code == 422
