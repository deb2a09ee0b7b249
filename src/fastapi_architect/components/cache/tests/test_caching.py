"""The cache in an application."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fastapi_architect.components.cache import CacheSettings, Caching
from fastapi_architect.components.cache.tests.example import Shelf, create_app
from fastapi_architect.components.redis_pool import RedisPool
from fastapi_architect.components.service import install


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture(params=["redis", "memory"])
def client(request: pytest.FixtureRequest, shelf: Shelf, redis_pool: RedisPool) -> Iterator[TestClient]:
    caching = Caching(CacheSettings(storage=request.param))
    with TestClient(create_app(shelf, redis_pool, caching)) as client:
        yield client


def test_a_book_is_looked_up_once(client: TestClient, shelf: Shelf) -> None:
    assert [client.get("/books/1").json()["title"] for _ in range(3)] == ["Emma"] * 3
    assert shelf.asked == 1


def test_a_change_is_seen_at_once(client: TestClient) -> None:
    client.get("/books/1")
    client.put("/books/1", params={"title": "Persuasion"})
    assert client.get("/books/1").json()["title"] == "Persuasion"


def test_what_is_not_there_is_a_problem_and_is_not_kept(client: TestClient, shelf: Shelf) -> None:
    assert client.get("/books/2").status_code == 404
    shelf.titles[2] = "Sanditon"
    assert client.get("/books/2").json()["title"] == "Sanditon"


def test_nobody_gets_the_profile_of_another(client: TestClient) -> None:
    for name in ("ann", "ben", "ann", "ben"):
        assert client.get("/profile", headers={"X-Name": name}).json() == {"owner": name}


def test_without_redis_it_says_what_is_missing() -> None:
    with pytest.raises(LookupError, match="RedisPool is not installed"):
        install(FastAPI(), [Caching(CacheSettings())])
