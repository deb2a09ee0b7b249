"""Who reads what was done in an organisation, and that everything is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.secapi.conftest import Headers, NamedCallers, People
from uuid_utils.compat import uuid7

from fastapi_architect.components.service import Principal
from fastapi_architect.secapi.permissions import AUDIT_OF_SERVICE

API = "/api/v1"


@pytest.fixture
def operator(named_callers: NamedCallers) -> Headers:
    """Somebody who runs the service, and is a member of nothing."""
    person = uuid7()
    named_callers.callers[str(person)] = Principal(person, frozenset({AUDIT_OF_SERVICE}), method="test")
    return {"X-Named-Caller": str(person)}


def events(client: TestClient, caller: Mapping[str, str], **query: Any) -> list[dict[str, Any]]:
    answer = client.get(f"{API}/audit-events", params=query, headers=dict(caller))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_admins_read_what_was_done_in_their_organisation_by_pages_and_filters(
    client: TestClient, people: People, operator: Headers
) -> None:
    acme, other = people.organisation("Acme"), people.organisation("Other")
    maintainer, admin = people.member(acme, "maintainer"), people.member(acme, "admin")
    theirs = people.member(other, "owner")
    for name in ("One", "Two"):
        client.post(f"{API}/projects", json={"name": name}, headers=maintainer)
    client.post(f"{API}/projects", json={"name": "Three"}, headers=theirs)

    first = client.get(f"{API}/audit-events", params={"limit": 1}, headers=admin).json()
    rest = events(client, admin, cursor=first["next_cursor"])
    everywhere = client.get(f"{API}/service/audit-events", headers=operator).json()["items"]

    assert [each["details"]["name"] for each in [*first["items"], *rest]] == ["Two", "One"]
    assert [each["details"]["name"] for each in events(client, theirs)] == ["Three"]
    assert (
        events(client, admin, actor_id=str(uuid7())) == events(client, admin, action="scan.submitted") == []
    )
    assert [(each["details"]["name"], each["tenant_id"]) for each in everywhere] == [
        ("Three", str(other)),
        ("Two", str(acme)),
        ("One", str(acme)),
    ]


@pytest.mark.parametrize("role", ["viewer", "developer", "maintainer"])
def test_other_roles_read_no_log(client: TestClient, people: People, role: str) -> None:
    member = people.member(people.organisation(), role)

    assert client.get(f"{API}/audit-events", headers=member).status_code == 403


def test_no_role_in_an_organisation_opens_the_log_of_the_service(client: TestClient, people: People) -> None:
    owner = people.member(people.organisation(), "owner")

    assert client.get(f"{API}/service/audit-events", headers=owner).status_code == 403
