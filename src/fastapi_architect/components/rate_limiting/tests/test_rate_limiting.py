"""Who is refused, and what does the answer say?"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from fastapi_architect.components.rate_limiting import RateLimiting, RateLimitSettings, limit
from fastapi_architect.components.rate_limiting.tests.example import create_app
from fastapi_architect.components.redis_pool import RedisPool, RedisSettings
from fastapi_architect.components.service import install


def settings(**values: Any) -> RateLimitSettings:
    return RateLimitSettings.model_validate({"default": "1000/minute", **values})


@pytest.fixture
def app(redis_pool: RedisPool) -> FastAPI:
    return create_app(redis_pool, RateLimiting(settings(trusted_proxies="10.0.0.0/8")))


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, client=("10.0.0.1", 1)) as client:
        yield client


def statuses(
    client: TestClient, path: str, times: int = 5, headers: dict[str, str] | None = None
) -> list[int]:
    return [client.get(path, headers=headers).status_code for _ in range(times)]


def test_a_route_refuses_after_its_limit(client: TestClient) -> None:
    assert statuses(client, "/books") == [200, 200, 200, 429, 429]
    # Each operation counts for itself.
    assert statuses(client, "/authors") == [200, 200, 200, 429, 429]


def test_the_answer_says_what_is_left_and_when_to_come_back(client: TestClient) -> None:
    answer = client.get("/books")
    assert answer.headers["ratelimit-policy"] == '"default";q=1000;w=60, "books";q=3;w=60'
    assert re.fullmatch(r'"default";r=999;t=\d+, "books";r=2;t=\d+', answer.headers["ratelimit"])
    assert "retry-after" not in answer.headers

    statuses(client, "/books", 2)
    refused = client.get("/books")

    assert refused.status_code == 429
    assert 57 <= int(refused.headers["retry-after"]) <= 63
    waits = dict(re.findall(r'"(\w+)";r=\d+;t=(\d+)', refused.headers["ratelimit"]))
    assert int(refused.headers["retry-after"]) >= int(waits["books"])
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert problem["violated-policies"] == ["books"]


def test_a_forged_address_does_not_buy_another_counter(client: TestClient) -> None:
    answers = [
        client.get("/books", headers={"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"}).status_code
        for number in range(5)
    ]
    assert answers == [200, 200, 200, 429, 429]


def test_clients_behind_our_proxy_have_counters_of_their_own(client: TestClient) -> None:
    assert statuses(client, "/books", 3, headers={"X-Forwarded-For": "203.0.113.9"}) == [200] * 3
    assert statuses(client, "/books", 3, headers={"X-Forwarded-For": "203.0.113.10"}) == [200] * 3


def test_a_network_of_ipv6_shares_a_counter(client: TestClient) -> None:
    answers = [
        client.get("/books", headers={"X-Forwarded-For": f"2001:db8::{number}"}).status_code
        for number in range(5)
    ]
    assert answers == [200, 200, 200, 429, 429]


def test_no_header_is_read_without_a_trusted_proxy(redis_pool: RedisPool) -> None:
    with TestClient(create_app(redis_pool, RateLimiting(settings())), client=("203.0.113.9", 1)) as client:
        answers = [
            client.get("/books", headers={"X-Forwarded-For": f"198.51.100.{number}"}).status_code
            for number in range(5)
        ]
    assert answers == [200, 200, 200, 429, 429]


def test_a_principal_is_counted_wherever_it_comes_from(client: TestClient) -> None:
    answers = [
        client.get("/mine", headers={"X-Name": "ann", "X-Forwarded-For": f"203.0.113.{number}"}).status_code
        for number in range(5)
    ]
    assert answers == [200, 200, 200, 429, 429]
    assert statuses(client, "/mine", 1, headers={"X-Name": "ben"}) == [200]


def test_strangers_are_counted_by_their_address_where_principals_are(client: TestClient) -> None:
    assert statuses(client, "/mine", times=5, headers={"X-Forwarded-For": "203.0.113.9"}) == [
        200,
        200,
        200,
        429,
        429,
    ]
    assert statuses(client, "/mine", 1, headers={"X-Forwarded-For": "203.0.113.10"}) == [200]


def test_a_tenant_is_counted_as_one(client: TestClient) -> None:
    assert statuses(client, "/ours", 2, headers={"X-Name": "ann"}) == [200, 200]
    assert statuses(client, "/ours", 2, headers={"X-Name": "ben"}) == [200, 429]
    assert statuses(client, "/ours", 1, headers={"X-Name": "eve"}) == [200]


def test_everyone_together(client: TestClient) -> None:
    answers = [
        client.get("/scarce", headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code
        for number in range(5)
    ]
    assert answers == [200, 200, 200, 429, 429]


def test_limits_of_one_name_share_their_counters_and_large_things_cost_more(client: TestClient) -> None:
    assert statuses(client, "/reports/small", 2) == [200, 200]
    assert statuses(client, "/reports/large", 1) == [429]
    assert statuses(client, "/reports/small", 2) == [200, 429]


def test_a_subject_of_ones_own_never_meets_another_kind(client: TestClient) -> None:
    assert statuses(client, "/partners", 4, headers={"X-Partner": "acme"}) == [200, 200, 200, 429]
    # Somebody who calls itself like the counter of an address does not spend for that address.
    assert statuses(client, "/partners", 4, headers={"X-Partner": "client 10.0.0.1"}) == [200, 200, 200, 429]
    assert statuses(client, "/partners", 1) == [200]


def test_several_rates_hold_together(client: TestClient) -> None:
    answer = client.post("/codes")
    assert '"codes-60";q=3;w=60, "codes-3600";q=5;w=3600' in answer.headers["ratelimit-policy"]


def test_the_default_counts_everything_of_a_client(redis_pool: RedisPool) -> None:
    component = RateLimiting(settings(default="4/minute", exempt_paths="/books, /reports/*"))
    with TestClient(create_app(redis_pool, component)) as client:
        assert statuses(client, "/no-such-page", 2) == [404, 404]
        assert client.post("/login", content=b"{").status_code == 422
        assert statuses(client, "/authors", 2) == [200, 429]
        refused = client.get("/no-such-page")
        assert refused.status_code == 429
        assert refused.json()["violated-policies"] == ["default"]
        assert refused.headers["retry-after"]
        # A load balancer keeps asking.
        assert statuses(client, "/books", 1) == [200]
        assert statuses(client, "/reports/small", 1) == [200]


def test_processes_share_their_counters(client: TestClient, redis_url: str) -> None:
    pool = RedisPool(RedisSettings.model_validate({"url": redis_url, "timeout": 5, "environment": "local"}))
    with TestClient(create_app(pool, RateLimiting(settings())), client=("10.0.0.1", 1)) as other:
        assert statuses(client, "/books", 2) == [200, 200]
        assert statuses(other, "/books", 2) == [200, 429]


def test_websockets_are_counted_when_they_connect(redis_pool: RedisPool) -> None:
    with TestClient(create_app(redis_pool, RateLimiting(settings(default="2/minute")))) as client:
        for _ in range(2):
            with client.websocket_connect("/feed") as websocket:
                assert websocket.receive_text() == "news"
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/feed"):
            pass


def test_an_application_mounted_below_declares_limits_too(client: TestClient) -> None:
    assert statuses(client, "/mounted/inside", 4) == [200, 200, 200, 429]
    assert client.get("/mounted/inside").headers["retry-after"]


def test_an_application_of_somebody_else_has_no_principal_and_no_redis() -> None:
    app = FastAPI()

    @app.get("/items", dependencies=[Depends(limit("2/minute", by="principal"))])
    def items() -> str:
        return "items"

    install(app, [RateLimiting(RateLimitSettings(storage="memory"))])
    with TestClient(app) as client:
        assert statuses(client, "/items", 3) == [200, 200, 429]
        assert client.get("/items").json()["violated-policies"] == ["items"]


def test_without_redis_it_says_what_is_missing() -> None:
    with pytest.raises(LookupError, match="RedisPool is not installed"):
        install(FastAPI(), [RateLimiting(RateLimitSettings())])


def test_the_documentation_speaks_of_refusals(app: FastAPI) -> None:
    operation = app.openapi()["paths"]["/books"]["get"]
    assert "Retry-After" in operation["responses"]["429"]["headers"]
