"""Branches over HTTP: what they are compared with, what is put away, and that nobody overwrites what they have not seen."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from tests.secapi.conftest import People
from tests.secapi.findings.test_matching import LIST, seen
from tests.secapi.findings.test_triage import Team

API = "/api/v1"


class Forest(Team):
    """A team that looks at branches."""

    def __init__(self, client: TestClient, people: People, environment: Mapping[str, str]) -> None:
        super().__init__(client, people, environment)
        self.place = f"/projects/{self.project}/branches"

    def branches(self, **query: Any) -> dict[str, Any]:
        return {each["name"]: each for each in self.get(self.place, **query).json()["items"]}

    def change(self, name: str, **fields: Any) -> Any:
        branch = {**self.branches(), **self.branches(archived=True)}[name]
        headers = self.maintainer | {"If-Match": f'"{branch["version"]}"'}
        return self.client.patch(f"{API}{self.place}/{branch['id']}", json=fields, headers=headers)

    def gate(self, branch: str) -> Any:
        return self.get(f"/projects/{self.project}/gate", branch=branch).json()

    def finish(self, name: str) -> str:
        """Write down the newest scan of a branch, whose findings a test has made without a worker."""
        engine = create_engine(self.environment["DATABASE_URL"])
        with engine.begin() as connection:
            connection.execute(
                text("SELECT set_config('app.tenant_id', :id, true)"), {"id": str(self.organisation)}
            )
            statement = text(
                "INSERT INTO scans (id, tenant_id, project_id, kind, state, priority, branch, requested_by, task_id, run, "
                "sha256, size, attempts, roots, roots_done, version, finished_at) SELECT scan_id, tenant_id, project_id, "
                "'archive', 'done', 'normal', name, id, id, 1, '', 1, 1, 1, 1, 1, now() FROM branches WHERE name = :name "
                "AND project_id = :project RETURNING id"
            )
            found = connection.execute(statement, {"name": name, "project": self.project}).scalar_one()
        engine.dispose()
        return str(found)


@pytest.fixture
def forest(client: TestClient, people: People, service_environment: Mapping[str, str]) -> Forest:
    return Forest(client, people, service_environment)


def test_branches_are_listed_as_their_newest_scans_left_them(forest: Forest) -> None:
    forest.scan(*seen(LIST))
    for name in ("feature/a", "feature/b", "release"):
        forest.scan(branch=name)

    found = forest.branches()

    assert list(found) == ["feature/a", "feature/b", "main", "release"]
    assert [name for name, each in found.items() if each["is_default"]] == ["main"]
    assert list(forest.branches(name="ature/")) == ["feature/a", "feature/b"]
    first = forest.get(forest.place, limit=3).json()
    assert [
        each["name"]
        for each in forest.get(forest.place, limit=3, cursor=first["next_cursor"]).json()["items"]
    ] == ["release"]


def test_what_is_new_is_counted_against_the_branch_that_somebody_chose(forest: Forest) -> None:
    other = seen(LIST, rule="weak-hash")
    forest.scan(*seen(LIST))
    forest.scan(*other, branch="release")
    forest.scan(*seen(LIST), *other, branch="hotfix")
    assert [each["rule"] for each in forest.gate("hotfix")["findings"]] == ["weak-hash"]

    changed = forest.change("hotfix", baseline="release")

    assert (changed.status_code, changed.json()["baseline"]) == (200, "release")
    gate = forest.gate("hotfix")
    assert (gate["compared_with"], gate["compared_with_scan"]) == ("release", None)
    assert [each["rule"] for each in gate["findings"]] == ["sql-injection"]
    forest.change("hotfix", baseline=None)
    assert forest.gate("hotfix")["compared_with"] == "main"


def test_the_merge_base_stays_what_it_was_while_its_branch_goes_on(forest: Forest) -> None:
    forest.scan(*seen(LIST))
    base = forest.finish("main")
    forest.scan(*seen(LIST), branch="feature")
    forest.change("feature", baseline_scan_id=base)

    forest.scan()  # fixed in main, which says nothing about what the feature has added
    gate = forest.gate("feature")
    assert (gate["passed"], gate["compared_with"], gate["compared_with_scan"]) == (True, "main", base)

    forest.scan(*seen(LIST), *seen(LIST, rule="weak-hash"))
    forest.scan(*seen(LIST), *seen(LIST, rule="weak-hash"), branch="feature")
    gate = forest.gate("feature")
    assert [each["rule"] for each in gate["findings"]] == ["weak-hash"]  # came to main after the merge base


def test_what_cannot_be_a_baseline_is_refused_with_the_next_step(forest: Forest) -> None:
    mallory = Forest(forest.client, forest.people, forest.environment)
    mallory.scan()
    forest.scan()
    forest.scan(branch="feature")
    stranger = mallory.finish("main")

    for status, fields in (
        (422, {}),
        (422, {"baseline": "feature"}),
        (422, {"baseline": "gone"}),
        (422, {"baseline": "main", "baseline_scan_id": stranger}),
        (404, {"baseline_scan_id": stranger}),
        (422, {"tenant_id": stranger}),
    ):
        assert forest.change("feature", **fields).status_code == status, fields


def test_a_branch_is_put_away_with_its_history_and_its_next_scan_takes_it_back(forest: Forest) -> None:
    forest.scan()
    [finding] = forest.scan(*seen(LIST), branch="old")
    branch = forest.branches()["old"]
    headers = forest.maintainer | {"If-Match": f'"{branch["version"]}"'}
    place = f"{API}{forest.place}/{branch['id']}"

    assert forest.client.delete(place, headers=headers).status_code == 204
    assert forest.client.delete(place, headers=headers).status_code == 412
    assert list(forest.branches()) == ["main"]
    assert list(forest.branches(archived=True)) == ["old"]
    assert [each["kind"] for each in forest.get(f"/findings/{finding}/events").json()] == ["found"]
    assert forest.change("old", archived=False).json()["archived_at"] is None
    assert forest.change("main", archived=True).status_code == 409


def test_who_has_the_newest_version_is_told_so_without_a_body(forest: Forest) -> None:
    forest.scan()
    branch = forest.branches()["main"]
    for place in (f"{API}{forest.place}/{branch['id']}", f"{API}/projects/{forest.project}"):
        tag = forest.client.get(place, headers=forest.developer).headers["etag"]

        same = forest.client.get(place, headers=forest.developer | {"If-None-Match": tag})
        other = forest.client.get(place, headers=forest.developer | {"If-None-Match": '"999"'})

        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
        assert other.status_code == 200


def test_of_two_who_change_the_same_version_at_once_one_is_told_to_look_again(forest: Forest) -> None:
    forest.scan(branch="feature")
    forest.scan()
    [finding] = forest.scan(*seen(LIST))
    branch: UUID = forest.branches()["feature"]["id"]
    for place, bodies in (
        (f"{API}/projects/{forest.project}", [{"gate_severity": "minor"}, {"gate_severity": "none"}]),
        (
            f"{API}/findings/{finding}",
            [{"triage": "confirmed"}, {"triage": "false_positive", "reason": "no"}],
        ),
        (f"{API}{forest.place}/{branch}", [{"baseline": "main"}, {"archived": True}]),
    ):
        tag = forest.client.get(place, headers=forest.maintainer).headers["etag"]
        headers = forest.maintainer | {"If-Match": tag}

        def change(body: dict[str, Any], place: str = place, headers: dict[str, str] = headers) -> int:
            return forest.client.patch(place, json=body, headers=headers).status_code

        with ThreadPoolExecutor(2) as threads:
            statuses = sorted(threads.map(change, bodies))

        assert statuses == [200, 412], place
        assert forest.client.patch(place, json=bodies[0], headers=forest.maintainer).status_code == 428
