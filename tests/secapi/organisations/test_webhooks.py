"""Endpoints of an organisation: who manages them, and what its members and others see of them."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from tests.secapi.conftest import People

API = "/api/v1"
ENDPOINT = {"url": "https://hooks.example/services/T0/token-in-the-path", "event_types": ["scan.completed"]}


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("developer", 403), ("maintainer", 201), ("owner", 201)]
)
def test_maintainers_make_endpoints(client: TestClient, people: People, role: str, status: int) -> None:
    member = people.member(people.organisation(), role)

    answer = client.post(f"{API}/webhook-endpoints", json=ENDPOINT, headers=member)

    assert answer.status_code == status, answer.text


def test_an_endpoint_is_the_organisations_and_its_log_says_who_made_it(
    client: TestClient, people: People
) -> None:
    acme = people.organisation()
    maintainer, colleague, admin = (
        people.member(acme, role) for role in ("maintainer", "maintainer", "admin")
    )
    stranger = people.member(people.organisation("Other"), "owner")
    made = client.post(f"{API}/webhook-endpoints", json=ENDPOINT, headers=maintainer).json()
    url = f"{API}/webhook-endpoints/{made['id']}"

    assert client.get(url, headers=colleague).json()["url"] == ENDPOINT["url"]
    assert "secret" not in client.get(url, headers=colleague).json()
    assert client.get(url, headers=stranger).status_code == 404
    assert client.get(f"{API}/webhook-endpoints", headers=stranger).json()["items"] == []
    [event] = client.get(f"{API}/audit-events", headers=admin).json()["items"]
    assert (event["action"], event["subject_id"]) == ("webhook_endpoint.created", made["id"])
    assert event["actor_id"] == maintainer["X-Named-Caller"]
    assert made["secret"] not in str(event)
    assert "token-in-the-path" not in str(event)


@pytest.mark.parametrize("url", ["http://hooks.example/", "https://127.0.0.1/", "https://169.254.169.254/"])
def test_an_endpoint_inside_the_network_is_refused(client: TestClient, people: People, url: str) -> None:
    member = people.member(people.organisation(), "maintainer")

    answer = client.post(f"{API}/webhook-endpoints", json={"url": url}, headers=member)

    assert answer.status_code == 422
