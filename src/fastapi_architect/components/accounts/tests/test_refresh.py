"""A refresh token is worth something once; a second time it ends its session."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from fastapi_architect.components.accounts.tests.asking import (
    AUTH,
    ME,
    at_once,
    bearer,
    log_in,
    refresh,
    run,
)
from fastapi_architect.components.accounts.tests.example import Service
from fastapi_architect.components.accounts.tokens import RefreshToken


@pytest.fixture
def tokens(service: Service, client: TestClient) -> dict[str, Any]:
    service.register(client)
    return log_in(client)


def is_alive(client: TestClient, tokens: dict[str, Any]) -> bool:
    return client.get(ME, headers=bearer(tokens)).status_code == 200


def test_each_token_buys_the_next_one(client: TestClient, tokens: dict[str, Any]) -> None:
    for _ in range(3):
        answer = refresh(client, tokens)
        assert answer.status_code == 200
        assert answer.json()["refresh_token"] != tokens["refresh_token"]
        tokens = answer.json()
        assert is_alive(client, tokens)


@pytest.mark.parametrize("steps", [1, 5])
def test_a_replay_ends_the_session_although_the_answer_is_401(
    client: TestClient, tokens: dict[str, Any], steps: int
) -> None:
    newest = tokens
    for _ in range(steps):
        newest = refresh(client, newest).json()

    assert refresh(client, tokens).status_code == 401
    assert refresh(client, newest).status_code == 401
    assert not is_alive(client, newest)


def test_a_replay_after_the_clean_up_still_ends_the_session(
    service: Service, client: TestClient, tokens: dict[str, Any], database_url: str
) -> None:
    newest = refresh(client, tokens).json()
    run(
        database_url,
        "INSERT INTO outbox_events (id, topic, payload, request_id, publications, attempts) "
        "VALUES (gen_random_uuid(), 'accounts.clean', '{}', '-', 0, 0)",
    )
    service.work()

    assert is_alive(client, newest)
    assert refresh(client, tokens).status_code == 401
    assert not is_alive(client, newest)
    assert refresh(client, newest).status_code == 401


@pytest.mark.anyio
async def test_of_parallel_refreshes_exactly_one_succeeds(service: Service, client: TestClient) -> None:
    service.register(client)
    tokens = log_in(client)

    body = {"refresh_token": tokens["refresh_token"]}
    answers = await at_once(service, f"{AUTH}/refresh", [body] * 8)

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


def test_refreshing_does_not_prolong_the_session(
    client: TestClient, tokens: dict[str, Any], database_url: str
) -> None:
    before = run(database_url, "SELECT expires_at FROM account_sessions")
    newest = refresh(client, tokens).json()
    assert run(database_url, "SELECT expires_at FROM account_sessions") == before

    run(database_url, "UPDATE account_sessions SET expires_at = now() + interval '5 seconds'")
    newest = refresh(client, newest).json()
    assert newest["expires_in"] <= 5

    run(database_url, "UPDATE account_sessions SET expires_at = now() - interval '1 second'")
    assert refresh(client, newest).status_code == 401
    assert not is_alive(client, newest)


def test_other_sessions_survive_a_replay(client: TestClient, tokens: dict[str, Any]) -> None:
    other = log_in(client)
    refresh(client, tokens)
    assert refresh(client, tokens).status_code == 401

    assert is_alive(client, other)
    assert refresh(client, other).status_code == 200


def test_nobody_ends_a_session_by_guessing(client: TestClient, tokens: dict[str, Any]) -> None:
    once = RefreshToken.parse(tokens["refresh_token"]).once
    guess = RefreshToken.new().family + "." + once

    answer = client.post(f"{AUTH}/refresh", json={"refresh_token": guess})

    assert answer.status_code == 401
    assert is_alive(client, tokens)


def test_refresh_tokens_lie_in_no_table(tokens: dict[str, Any], database_url: str) -> None:
    token = RefreshToken.parse(tokens["refresh_token"])
    stored = str(run(database_url, "SELECT * FROM account_sessions"))

    assert token.family not in stored
    assert token.once not in stored


NONSENSE: list[Any] = [
    "",
    "x",
    "x" * 79,
    "x" * 129,
    "x" * 90,
    "." * 90,
    "x" * 43 + "." + "\u0000" * 43,
    None,
    5,
    ["x"],
]


def test_nonsense_is_refused(client: TestClient, tokens: dict[str, Any]) -> None:
    for token in NONSENSE:
        answer = client.post(f"{AUTH}/refresh", json={"refresh_token": token})
        assert answer.status_code in (401, 422), token
    assert is_alive(client, tokens)


def test_deactivation_by_whatever_means_ends_both_tokens(
    client: TestClient, tokens: dict[str, Any], database_url: str
) -> None:
    run(database_url, "UPDATE accounts SET deactivated_at = now()")

    assert not is_alive(client, tokens)
    assert refresh(client, tokens).status_code == 401
