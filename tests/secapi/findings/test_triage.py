"""Findings over HTTP: reading, deciding, commenting, and what the gate makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from tests.secapi.conftest import Headers, People
from tests.secapi.findings.test_matching import EVERYTHING, LIST, seen
from uuid_utils.compat import uuid7

from fastapi_architect.components.database import bind_worker_setting
from fastapi_architect.secapi.findings.matching import Said, Seen, lock_branch, match_scan

API = "/api/v1"
SOON = (datetime.now(UTC) + timedelta(days=30)).isoformat()
LATER = (datetime.now(UTC) + timedelta(days=3650)).isoformat()
PAST = "2020-01-01T00:00:00Z"


class Team:
    """An organisation with a project, its members, and scans that end as a test says."""

    def __init__(self, client: TestClient, people: People, environment: Mapping[str, str]) -> None:
        self.client, self.people, self.environment = client, people, environment
        self.organisation = people.organisation()
        self.maintainer = people.member(self.organisation, "maintainer")
        self.developer = people.member(self.organisation, "developer")
        answer = client.post(f"{API}/projects", json={"name": "Shop"}, headers=self.maintainer)
        self.project = UUID(answer.json()["id"])

    def scan(self, *found: Seen, branch: str = "main") -> list[UUID]:
        """End a scan, and return what was new."""
        engine = create_engine(self.environment["DATABASE_URL"])
        with Session(engine) as session:
            bind_worker_setting(session, "app.tenant_id", self.organisation)
            locked = lock_branch(session, self.organisation, self.project, branch)
            matched = match_scan(session, locked, uuid7(), datetime.now(UTC), Said(found, EVERYTHING))
            session.commit()
        engine.dispose()
        return list(matched.new)

    def get(self, path: str, caller: Headers | None = None, **query: Any) -> Any:
        return self.client.get(f"{API}{path}", params=query, headers=caller or self.developer)

    def decide(self, finding: UUID, caller: Headers | None = None, version: int = 1, **decision: Any) -> Any:
        headers = (caller or self.developer) | {"If-Match": f'"{version}"'}
        return self.client.patch(f"{API}/findings/{finding}", json=decision, headers=headers)


@pytest.fixture
def team(client: TestClient, people: People, service_environment: Mapping[str, str]) -> Team:
    return Team(client, people, service_environment)


def test_a_list_shows_what_is_in_the_branch_and_can_be_searched(team: Team) -> None:
    [first, second] = team.scan(*seen(LIST), *seen(LIST, rule="weak-hash"))
    team.scan(*seen(LIST))

    listed = team.get(f"/projects/{team.project}/findings").json()["items"]
    fixed = team.get(f"/projects/{team.project}/findings", presence="fixed").json()["items"]
    by_rule = team.get(f"/projects/{team.project}/findings", rule="sql-injection", file="app/").json()[
        "items"
    ]

    assert [each["id"] for each in listed] == [str(first)]
    assert [(each["id"], each["presence"]) for each in fixed] == [(str(second), "fixed")]
    assert [(each["file"], each["line"], each["branch"]) for each in by_rule] == [
        ("app/books.py", 10, "main")
    ]
    for query in ({"branch": "gone"}, {"rule": "x"}, {"severity": "critical", "text": "%"}):
        assert team.get(f"/projects/{team.project}/findings", **query).json()["items"] == []


def test_a_finding_that_is_only_in_another_branch_can_be_read(team: Team) -> None:
    [finding] = team.scan(*seen(LIST), branch="feature")

    answer = team.get(f"/findings/{finding}")

    assert (answer.json()["branch"], answer.headers["etag"]) == ("feature", '"1"')
    assert team.get(f"/findings/{finding}", branch="main").status_code == 404


def test_a_decision_needs_the_version_that_was_seen_and_is_remembered(team: Team) -> None:
    [finding] = team.scan(*seen(LIST))

    decided = team.decide(finding, triage="false_positive", reason="A closed list.")
    late = team.decide(finding, triage="confirmed")
    team.client.post(f"{API}/findings/{finding}/comments", json={"text": "Sure?"}, headers=team.developer)

    assert (decided.status_code, decided.json()["triage"], decided.headers["etag"]) == (
        200,
        "false_positive",
        '"2"',
    )
    assert late.status_code == 412
    history = team.get(f"/findings/{finding}/events").json()
    assert [each["kind"] for each in history] == ["found", "triaged", "commented"]
    assert history[1]["details"] == {"from": "open", "to": "false_positive", "reason": "A closed list."}
    [comment] = team.get(f"/findings/{finding}/events", kind="commented").json()
    assert comment["details"]["text"] == "Sure?"


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        ({"triage": "accepted", "reason": "Later.", "expires_at": SOON}, 200),
        ({"triage": "accepted", "reason": "Later.", "expires_at": LATER}, 422),
        ({"triage": "accepted", "reason": "Later.", "expires_at": PAST}, 422),
        ({"triage": "accepted", "reason": "Later."}, 422),
        ({"triage": "accepted", "expires_at": SOON}, 422),
        ({"triage": "false_positive"}, 422),
        ({"triage": "false_positive", "reason": "   "}, 422),
        ({"triage": "confirmed", "expires_at": SOON}, 422),
        ({"triage": "fixed"}, 422),
        ({"triage": "confirmed", "approved_by": str(uuid7())}, 422),
    ],
)
def test_what_is_accepted_has_a_reason_an_end_and_an_approver(
    team: Team, decision: dict[str, str], status: int
) -> None:
    [finding] = team.scan(*seen(LIST))

    answer = team.decide(finding, team.maintainer, **decision)

    assert answer.status_code == status, answer.text
    assert (answer.json().get("approved_by") is not None) == (status == 200)


def test_a_developer_accepts_nothing_and_a_viewer_decides_nothing(team: Team) -> None:
    [finding] = team.scan(*seen(LIST))
    viewer = team.people.member(team.organisation, "viewer")

    assert team.decide(finding, triage="accepted", reason="x", expires_at=SOON).status_code == 403
    assert team.decide(finding, viewer, triage="confirmed").status_code == 403
    assert team.get(f"/findings/{finding}", viewer).json()["triage"] == "open"


def test_several_are_decided_together_or_not_at_all(team: Team) -> None:
    found = team.scan(*seen(LIST), *seen(LIST, rule="weak-hash"))
    place = f"{API}/projects/{team.project}/findings/triage"
    body = {"finding_ids": [str(each) for each in found], "triage": "confirmed"}

    with_a_stranger = body | {"finding_ids": [*map(str, found), str(uuid7())]}
    assert team.client.post(place, json=with_a_stranger, headers=team.developer).status_code == 404
    assert {team.get(f"/findings/{each}").json()["triage"] for each in found} == {"open"}

    assert team.client.post(place, json=body, headers=team.developer).json() == {"changed": 2, "results": []}
    assert {team.get(f"/findings/{each}").json()["triage"] for each in found} == {"confirmed"}


def test_another_organisations_finding_looks_like_none(team: Team) -> None:
    [finding] = team.scan(*seen(LIST))
    mallory = team.people.member(team.people.organisation("Evil"), "admin")

    assert team.get(f"/findings/{finding}", mallory).status_code == 404
    assert team.get(f"/findings/{finding}/events", mallory).status_code == 404
    assert team.get(f"/projects/{team.project}/findings", mallory).status_code == 404
    assert team.get(f"/projects/{team.project}/gate", mallory).status_code == 404
    assert team.decide(finding, mallory, triage="confirmed").status_code == 404


def test_the_gate_closes_for_what_is_found_and_opens_for_what_is_decided(team: Team) -> None:
    assert team.get(f"/projects/{team.project}/gate").status_code == 404  # nothing was scanned yet
    [finding] = team.scan(*seen(LIST))

    closed = team.get(f"/projects/{team.project}/gate").json()
    team.decide(finding, team.maintainer, triage="accepted", reason="Later.", expires_at=SOON)
    opened = team.get(f"/projects/{team.project}/gate").json()

    assert (closed["passed"], closed["counts"]) == (False, {"critical": 1})
    assert [each["id"] for each in closed["findings"]] == [str(finding)]
    assert (opened["passed"], opened["findings"]) == (True, [])


def test_the_gate_of_a_branch_asks_for_what_the_default_branch_has_not(team: Team) -> None:
    team.scan(*seen(LIST))
    team.scan(*seen(LIST), branch="same")
    team.scan(*seen(LIST), *seen(LIST, rule="weak-hash"), branch="worse")

    same = team.get(f"/projects/{team.project}/gate", branch="same").json()
    worse = team.get(f"/projects/{team.project}/gate", branch="worse").json()

    assert (same["passed"], same["compared_with"]) == (True, "main")
    assert (worse["passed"], [each["rule"] for each in worse["findings"]]) == (False, ["weak-hash"])


def proposed(found: Seen) -> Seen:
    return Seen(found.root, found.document, is_proposed_ignored=True)


@pytest.mark.parametrize(("accepts", "passed"), [(False, False), (True, True)])
def test_an_archive_silences_its_own_gate_only_where_the_project_says_so(
    team: Team, accepts: bool, passed: bool
) -> None:
    team.client.patch(
        f"{API}/projects/{team.project}",
        json={"accepts_archive_suppressions": accepts},
        headers=team.maintainer | {"If-Match": '"1"'},
    )
    team.scan(*map(proposed, seen(LIST)))

    assert team.get(f"/projects/{team.project}/gate").json()["passed"] is passed
