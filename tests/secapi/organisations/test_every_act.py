"""Every operation that changes something leaves an entry in the log of its organisation, in the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from tests.secapi.conftest import Headers, People
from tests.secapi.findings.test_matching import LIST, seen
from tests.secapi.findings.test_triage import Team
from tests.secapi.scans.test_submitting import upload
from tests.secapi.test_isolation import dead_letter_of, delivery_of, scan_of

from fastapi_architect.components.testing.operations import operations_of

API = "/api/v1"
#: Of accounts, of sockets, and of files that are nobody's but their owner's until they are submitted.
NOT_OF_ORGANISATIONS = ("/accounts", "/auth", "/me", "/uploads", "/websockets")
Step = tuple[str, str, dict[str, Any], str]
FALSE_POSITIVE = {"triage": "false_positive", "reason": "a test"}


@pytest.fixture
def team(client: TestClient, people: People, service_environment: Mapping[str, str]) -> Team:
    return Team(client, people, service_environment)


class Acting:
    """An owner who does everything that changes something, each by its operation."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.owner: Headers = team.people.member(team.organisation, "owner")

    def identifier(self, path: str) -> str:
        """Make something, and return its identifier; what is made here is in the log as well."""
        answer = self.team.client.post(f"{API}{path}", json=self.body(path), headers=self.owner)
        assert answer.status_code in (201, 202), answer.text
        return str(answer.json()["id"])

    def body(self, path: str) -> dict[str, Any]:
        kind = path.rpartition("/")[2]
        if kind == "scans":
            return {"upload_id": upload(self.team.client, self.owner)}
        return {
            "projects": {"name": str(uuid4())},
            "api-keys": {"name": "CI", "scopes": []},
            "webhook-endpoints": {"url": "https://hooks.example/"},
            "invitations": {"role": "viewer"},
            "reports": {"format": "csv"},
        }[kind]

    def steps(self) -> Iterator[Step]:
        """Yield operation, path, what is sent, and the action that the log has to name."""
        team, organisation = self.team, f"/organisations/{self.team.organisation}"
        project, scans = f"/projects/{team.project}", f"/projects/{team.project}/scans"
        finding = f"/findings/{team.scan(*seen(LIST))[0]}"
        member = f"{organisation}/members/{team.developer['X-Named-Caller']}"
        hooks = delivery_of(team)
        hook = f"/webhook-endpoints/{hooks['endpoint_id']}"
        delivery = f"{hook}/deliveries/{hooks['delivery_id']}"
        self._end_delivery(hooks["delivery_id"])
        dead = dead_letter_of(team)
        failed, done = scan_of(team), scan_of(team)
        self._run("UPDATE scans SET state = 'failed' WHERE id = :id", id=UUID(failed))
        self._run("UPDATE scans SET state = 'done' WHERE id = :id", id=UUID(done))

        for path in ("/projects", scans, "/api-keys", "/webhook-endpoints", f"{organisation}/invitations"):
            words = {"projects": "project.created", "scans": "scan.submitted", "api-keys": "api_key.created",
                     "webhook-endpoints": "webhook_endpoint.created", "invitations": "invitation.made"}  # fmt: skip
            yield "POST", path, {"json": self.body(path)}, words[path.rpartition("/")[2]]
        invitation = self.identifier(f"{organisation}/invitations")
        seen_first = {"headers": {"If-Match": '"1"'}}
        yield "POST", f"/scans/{failed}/retry", {}, "scan.retried"
        yield "POST", f"/scans/{failed}/cancel", {}, "scan.cancelled"
        yield "POST", f"/scans/{done}/reports", {"json": {"format": "csv"}}, "report.requested"
        yield "DELETE", f"/reports/{self.identifier(f'/scans/{done}/reports')}", {}, "report.deleted"
        yield "POST", f"/work/dead-letters/{dead}/replay", {}, "work.replayed"
        yield "POST", f"{finding}/comments", {"json": {"text": "Why?"}}, "finding.commented"
        yield "PATCH", finding, {"json": FALSE_POSITIVE, **seen_first}, "finding.triaged"
        both = {"finding_ids": [finding.rpartition("/")[2]], "triage": "confirmed"}
        yield "POST", f"{project}/findings/triage", {"json": both}, "finding.triaged"
        yield "PATCH", project, {"json": {"gate_severity": "none"}, **seen_first}, "project.changed"
        yield "PATCH", hook, {"json": {"description": "x"}}, "webhook_endpoint.changed"
        yield "POST", f"{hook}/secret-rotations", {}, "webhook_endpoint.rotated"
        yield "POST", f"{hook}/tests", {}, "webhook_endpoint.tested"
        yield "POST", f"{delivery}/redeliveries", {}, "webhook_endpoint.redelivered"
        yield "DELETE", hook, {}, "webhook_endpoint.deleted"
        yield "DELETE", f"/api-keys/{self.identifier('/api-keys')}", {}, "api_key.revoked"
        yield "PATCH", organisation, {"json": {"name": "New"}, **seen_first}, "organisation.renamed"
        yield "DELETE", f"{organisation}/invitations/{invitation}", {}, "invitation.withdrawn"
        yield "PUT", f"{member}/role", {"json": {"role": "viewer"}}, "member.role_given"
        yield "DELETE", member, {}, "member.removed"
        team.scan(*seen(LIST), branch="feature")
        branches = team.get(f"{project}/branches", self.owner).json()["items"]
        [feature] = [f"{project}/branches/{each['id']}" for each in branches if each["name"] == "feature"]
        yield "PATCH", feature, {"json": {"baseline": "main"}, **self.seen(feature)}, "branch.changed"
        yield "DELETE", feature, self.seen(feature), "branch.archived"
        yield "DELETE", project, self.seen(project), "project.deleted"

    def seen(self, path: str) -> dict[str, Any]:
        """Return the header with which a change says what it has seen."""
        answer = self.team.client.get(f"{API}{path}", headers=self.owner)
        return {"headers": {"If-Match": answer.headers["etag"]}}

    def _end_delivery(self, delivery: object) -> None:
        self._run("UPDATE webhook_deliveries SET state = 'failed' WHERE id = :id", id=UUID(str(delivery)))

    def _run(self, statement: str, **values: Any) -> None:
        engine = create_engine(self.team.environment["DATABASE_OWNER_URL"])
        with engine.begin() as connection:
            connection.execute(text(statement), values)
        engine.dispose()


def test_every_change_is_in_the_log_of_its_organisation(app: FastAPI, team: Team) -> None:
    acting = Acting(team)
    log = {"X-Organisation-ID": str(team.organisation), **acting.owner}
    done = []
    for method, path, sent, action in acting.steps():
        headers = {**acting.owner, **sent.pop("headers", {})}
        answer = team.client.request(method, f"{API}{path}", headers=headers, **sent)
        assert answer.status_code < 300, (method, path, answer.text)
        newest = team.client.get(f"{API}/audit-events", params={"limit": 1}, headers=log).json()["items"][0]
        assert (newest["action"], newest["actor_id"]) == (action, acting.owner["X-Named-Caller"]), path
        done.append((method, path))

    founded = team.client.post(f"{API}/organisations", json={"name": "Second"}, headers=acting.owner)
    second = {**acting.owner, "X-Organisation-ID": founded.json()["id"]}
    invitations = f"{API}/organisations/{founded.json()['id']}/invitations"
    token = team.client.post(invitations, json={"role": "viewer"}, headers=second).json()["token"]
    team.client.post(f"{API}/invitations/accept", json={"token": token}, headers=team.maintainer)
    events = team.client.get(f"{API}/audit-events", headers=second).json()["items"]
    assert [each["action"] for each in events] == ["member.joined", "invitation.made", "organisation.founded"]

    changing = {
        str(each)
        for each in operations_of(app)
        if each.method != "GET" and not any(each.path.startswith(API + part) for part in NOT_OF_ORGANISATIONS)
    }
    tried = {name for name in changing if any(_is(name, method, path) for method, path in done)}
    assert changing - tried == {"POST /api/v1/organisations", "POST /api/v1/invitations/accept"}


def _is(operation: str, method: str, path: str) -> bool:
    """Tell whether a path is one of the operation."""
    wanted, _, template = operation.partition(" ")
    pairs = list(zip(template.split("/"), f"{API}{path}".split("/"), strict=False))
    same_length = template.count("/") == f"{API}{path}".count("/")
    return wanted == method and same_length and all(a == b or a.startswith("{") for a, b in pairs)


def test_the_log_says_who_lowered_a_gate_and_from_where(team: Team) -> None:
    change = {"gate_severity": "none"}
    headers = team.maintainer | {"If-Match": '"1"'}
    team.client.patch(f"{API}/projects/{team.project}", json=change, headers=headers)
    admin = team.people.member(team.organisation, "admin")

    [event] = team.client.get(
        f"{API}/audit-events", params={"action": "project.changed"}, headers=admin
    ).json()["items"]

    assert event["actor_id"] == team.maintainer["X-Named-Caller"]
    assert event["details"]["before"] == {"gate_severity": "important"}
    assert event["details"]["after"] == {"gate_severity": "none"}
