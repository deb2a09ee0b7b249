"""What happens when the counters cannot be reached?"""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from fastapi_architect.components.rate_limiting import RateLimiting, RateLimitSettings
from fastapi_architect.components.rate_limiting.tests.example import create_app
from fastapi_architect.components.redis_pool import RedisPool, RedisSettings
from fastapi_architect.components.service import Environment
from fastapi_architect.components.testing.fault_proxy import fault_proxy
from fastapi_architect.components.testing.servers import RedisServer, free_port


def pool_at(port: int, timeout: float = 0.2) -> RedisPool:
    url = SecretStr(f"redis://127.0.0.1:{port}/0")
    return RedisPool(
        RedisSettings(url=url, timeout=timeout, environment=Environment.LOCAL, breaker_pause=0.1)
    )


@pytest.fixture
def client() -> Iterator[TestClient]:
    pool = pool_at(free_port())
    with TestClient(create_app(pool, RateLimiting(RateLimitSettings()))) as client:
        yield client


def test_reading_goes_on_uncounted(client: TestClient) -> None:
    answers = [client.get("/books") for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 10
    assert "ratelimit" not in answers[0].headers


def test_what_fails_closed_is_refused(client: TestClient) -> None:
    answer = client.post("/codes")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_outage_is_no_time_for_guessing_passwords(client: TestClient) -> None:
    answers = {client.post("/login", json={"account": "ann", "password": "?"}).status_code for _ in range(10)}
    assert answers == {503}


def test_a_silent_redis_slows_few_requests(redis_url: str) -> None:
    with fault_proxy(urlsplit(redis_url).port or 6379) as proxy:
        proxy.swallows = True
        with TestClient(create_app(pool_at(proxy.port), RateLimiting(RateLimitSettings()))) as client:
            for _ in range(5):
                client.get("/authors")
            began = time.perf_counter()
            answers = [client.get("/books").status_code for _ in range(20)]
    assert answers == [200] * 20
    assert time.perf_counter() - began < 2


def test_limits_hold_again_when_redis_is_back(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    try:
        with TestClient(create_app(pool_at(server.port), RateLimiting(RateLimitSettings()))) as client:
            assert client.get("/books").headers["ratelimit"]
            server.stop()
            assert [client.get("/books").status_code for _ in range(10)] == [200] * 10
            server.start()
            time.sleep(0.15)
            # Redis came back empty, without the script too.
            assert [client.get("/books").status_code for _ in range(4)] == [200, 200, 200, 429]
    finally:
        server.stop()


def test_a_log_line_about_an_outage_is_not_written_for_each_request(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        client.get("/books")
    assert caplog.text.count("rate limits cannot be counted") == 1
