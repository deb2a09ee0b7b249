"""Nobody gets in who was not let in."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from fastapi_architect.components.access.tests.example import PEOPLE, create_app
from fastapi_architect.components.database import Database


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    with TestClient(create_app(database)) as client:
        yield client


def test_a_route_that_nobody_guarded_refuses_strangers(client: TestClient) -> None:
    answer = client.get("/forgotten")

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_public_route_lets_strangers_in(client: TestClient) -> None:
    assert client.get("/open").json() == "hello"


def test_the_caller_is_who_the_authenticator_says(client: TestClient) -> None:
    assert client.get("/me", headers={"X-Name": "reader"}).json() == str(PEOPLE["reader"].id)


@pytest.mark.parametrize(("name", "status"), [("reader", 403), ("writer", 200)])
def test_a_permission_that_was_not_granted_is_refused(client: TestClient, name: str, status: int) -> None:
    assert client.post("/items", headers={"X-Name": name}).status_code == status
