"""How often may somebody try a password?"""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from fastapi_architect.components.rate_limiting import RateLimiting, RateLimitSettings
from fastapi_architect.components.rate_limiting.tests.example import create_app
from fastapi_architect.components.redis_pool import RedisPool


@pytest.fixture
def client(redis_pool: RedisPool) -> Iterator[TestClient]:
    settings = RateLimitSettings.model_validate(
        {
            "default": "1000/minute",
            "trusted_proxies": "10.0.0.0/8",
            "login_by_address": "10/minute",
            "login_by_account_and_address": "3/minute",
            "login_by_account": "8/minute",
        }
    )
    with TestClient(create_app(redis_pool, RateLimiting(settings)), client=("10.0.0.1", 1)) as client:
        yield client


def login(client: TestClient, account: str, password: str = "wrong", address: str = "203.0.113.9") -> int:
    body = {"account": account, "password": password}
    return client.post("/login", json=body, headers={"X-Forwarded-For": address}).status_code


def test_one_account_from_one_address(client: TestClient) -> None:
    assert [login(client, "ann") for _ in range(5)] == [401, 401, 401, 429, 429]
    # Nobody else is hindered, and the owner gets in from elsewhere.
    assert login(client, "ben") == 401
    assert login(client, "ann", "correct horse battery", "198.51.100.7") == 200


def test_even_the_right_password_is_refused_after_the_limit(client: TestClient) -> None:
    for _ in range(3):
        login(client, "ann")
    assert login(client, "ann", "correct horse battery") == 429


def test_one_password_on_many_accounts(client: TestClient) -> None:
    answers = [login(client, f"person{number}") for number in range(12)]
    assert answers == [401] * 10 + [429] * 2


def test_one_account_from_many_addresses(client: TestClient) -> None:
    answers = [login(client, "ann", address=f"203.0.113.{number}") for number in range(10)]
    assert answers == [401] * 8 + [429] * 2


@pytest.mark.parametrize("spelling", ["ANN@example.com", " ann@example.com ", "ａnn@example.com"])
def test_another_spelling_of_the_account_has_no_attempts_of_its_own(
    client: TestClient, spelling: str
) -> None:
    assert [login(client, "ann@example.com") for _ in range(3)] == [401] * 3
    assert login(client, spelling) == 429


def test_the_right_password_forgets_the_wrong_ones(client: TestClient) -> None:
    for _ in range(3):
        assert [login(client, "ann"), login(client, "ann", "correct horse battery")] == [401, 200]


def test_the_right_password_on_my_account_buys_no_attempts_on_others(client: TestClient) -> None:
    answers = []
    for number in range(12):
        answers += [login(client, "eve", "correct horse battery"), login(client, f"victim{number}")]
    assert answers.count(401) <= 5


def test_accounts_are_not_told_apart(client: TestClient) -> None:
    answer = client.post("/login", json={"account": "ann", "password": "wrong"})
    assert "login" not in answer.headers["ratelimit"]


def test_no_account_stands_in_redis(client: TestClient, redis_pool: RedisPool) -> None:
    login(client, "ann@example.com")
    keys = redis_pool.sync_client.keys("*")
    assert keys
    assert not any(b"ann" in key for key in keys)
