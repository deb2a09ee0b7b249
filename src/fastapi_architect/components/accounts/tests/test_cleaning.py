"""What is over is thrown away, and nothing else."""

from collections.abc import Sequence

import pytest
from fastapi.testclient import TestClient

from fastapi_architect.components.accounts.tests.asking import AUTH, EMAIL, ME, bearer, log_in, run
from fastapi_architect.components.accounts.tests.example import Service

TABLES = ("accounts", "account_sessions", "account_mailed_tokens", "account_attempts")


def sizes(database_url: str) -> Sequence[int]:
    return [run(database_url, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES]


@pytest.mark.parametrize(
    ("age", "left"), [("0 days", [1, 1, 2, 5]), ("2 days", [1, 1, 2, 0]), ("200 days", [1, 0, 0, 0])]
)
def test_what_is_over_for_long_is_deleted(
    service: Service, client: TestClient, database_url: str, age: str, left: list[int]
) -> None:
    service.register(client)
    tokens = log_in(client)
    client.post(f"{AUTH}/forgot-password", json={"email": EMAIL})
    client.post(f"{AUTH}/login", json={"email": EMAIL, "password": "some entirely wrong phrase"})
    service.work()
    run(database_url, f"UPDATE account_sessions SET expires_at = expires_at - interval '{age}'")
    run(database_url, f"UPDATE account_mailed_tokens SET expires_at = expires_at - interval '{age}'")
    run(database_url, f"UPDATE account_attempts SET window_ends_at = window_ends_at - interval '{age}'")
    run(
        database_url,
        "INSERT INTO outbox_events (id, topic, payload, request_id, publications, attempts) "
        "VALUES (gen_random_uuid(), 'accounts.clean', '{}', '-', 0, 0)",
    )

    service.work()

    assert sizes(database_url) == left
    assert (client.get(ME, headers=bearer(tokens)).status_code == 200) == (left[1] == 1)
