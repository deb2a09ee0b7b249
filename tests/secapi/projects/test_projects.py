"""Projects over HTTP, as members of an organisation see them, and others do not."""

from __future__ import annotations

from fastapi.testclient import TestClient
from tests.secapi.conftest import Headers, People

PROJECTS = "/api/v1/projects"


def begin(client: TestClient, member: Headers, name: str = "Bookshop") -> str:
    answer = client.post(PROJECTS, json={"name": name}, headers=member)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def test_a_project_begins_with_a_gate_for_new_important_findings(client: TestClient, people: People) -> None:
    maintainer = people.member(people.organisation(), "maintainer")

    project = client.get(begin(client, maintainer), headers=maintainer).json()

    assert (project["default_branch"], project["gate_severity"], project["gate_new_only"]) == (
        "main",
        "important",
        True,
    )
    assert project["accepts_archive_suppressions"] is False


def test_only_what_is_sent_changes_and_nobody_overwrites_unseen(client: TestClient, people: People) -> None:
    maintainer = people.member(people.organisation(), "maintainer")
    place = begin(client, maintainer)

    changed = client.patch(place, json={"gate_severity": "minor"}, headers=maintainer | {"If-Match": '"1"'})
    late = client.patch(place, json={"gate_severity": "none"}, headers=maintainer | {"If-Match": '"1"'})

    assert (changed.status_code, changed.json()["gate_severity"], changed.json()["name"]) == (
        200,
        "minor",
        "Bookshop",
    )
    assert late.status_code == 412


def test_two_projects_have_different_names_whatever_the_case(client: TestClient, people: People) -> None:
    organisation = people.organisation()
    maintainer, admin = people.member(organisation, "maintainer"), people.member(organisation, "admin")
    place = begin(client, maintainer)
    second = begin(client, maintainer, "Other")

    again = client.post(PROJECTS, json={"name": "bookSHOP"}, headers=maintainer)
    renamed = client.patch(second, json={"name": "BOOKSHOP"}, headers=maintainer | {"If-Match": '"1"'})
    assert (again.status_code, renamed.status_code) == (409, 409)

    assert client.delete(place, headers=admin | {"If-Match": '"1"'}).status_code == 204
    begin(client, maintainer)


def test_another_organisations_project_looks_like_none(client: TestClient, people: People) -> None:
    place = begin(client, people.member(people.organisation(), "maintainer"))
    mallory = people.member(people.organisation("Evil"), "admin")

    for method, body in (("GET", None), ("PATCH", {"name": "Mine"}), ("DELETE", None)):
        answer = client.request(method, place, json=body, headers=mallory | {"If-Match": '"1"'})
        assert answer.status_code == 404, method
    assert client.get(PROJECTS, headers=mallory).json()["items"] == []


def test_a_viewer_reads_and_changes_nothing(client: TestClient, people: People) -> None:
    organisation = people.organisation()
    place = begin(client, people.member(organisation, "maintainer"))
    viewer = people.member(organisation, "viewer")

    assert client.get(place, headers=viewer).status_code == 200
    assert client.post(PROJECTS, json={"name": "x"}, headers=viewer).status_code == 403
    assert client.patch(place, json={"name": "x"}, headers=viewer | {"If-Match": '"1"'}).status_code == 403
