"""Who may do what, and who sees whose: every route, found in the router, so that no new one is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from uuid import UUID
from zlib import compress

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from tests.secapi.conftest import People, archive
from tests.secapi.findings.test_matching import LIST, seen
from tests.secapi.findings.test_triage import Team
from tests.secapi.scans.test_submitting import upload
from uuid_utils.compat import uuid7

from fastapi_architect.components.database import bind_worker_setting
from fastapi_architect.components.testing.authorization import STRANGER, Caller, authorization_violations
from fastapi_architect.components.testing.isolation import cross_tenant_violations
from fastapi_architect.components.testing.operations import operations_of
from fastapi_architect.secapi.permissions import ADMIN, EVERY_PERMISSION, ROLES
from fastapi_architect.secapi.reports.models import Report, ReportContent

API = "/api/v1"
OURS = (
    "project_id", "scan_id", "finding_id", "endpoint_id", "delivery_id", "dead_letter_id", "branch_id", "key_id",
    "organisation_id", "account_id", "invitation_id", "report_id",
)  # fmt: skip
#: What a key never does, whatever its scopes.
IN_PERSON = ("POST /api/v1/organisations", "POST /api/v1/invitations/accept")
TABLES = (
    "projects", "scans", "scan_roots", "scan_events", "branches", "findings", "findings_in_branches", "finding_events",
    "reports", "report_contents", "audit_events", "webhook_endpoints", "webhook_messages", "webhook_deliveries", "webhook_attempts",
)  # fmt: skip

#: Of accounts alone, which these callers are not; of browsers, whose Origin they lack.
NOT_OF_MEMBERS = ("/api/v1/me", "/auth/logout", "/websockets/tickets")


@pytest.fixture
def team(client: TestClient, people: People, service_environment: Mapping[str, str]) -> Team:
    return Team(client, people, service_environment)


def scan_of(team: Team) -> str:
    body = {"upload_id": upload(team.client, team.developer, archive(main="x = 1"))}
    answer = team.client.post(f"{API}/projects/{team.project}/scans", json=body, headers=team.developer)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def delivery_of(team: Team) -> dict[str, object]:
    """An endpoint of the team's organisation, and a delivery to it."""
    new = {"url": "https://hooks.example/ci", "description": "CI"}
    answer = team.client.post(f"{API}/webhook-endpoints", json=new, headers=team.maintainer)
    endpoint = f"/webhook-endpoints/{answer.json()['id']}"
    team.client.post(f"{API}{endpoint}/tests", headers=team.maintainer)
    [delivery] = team.get(f"{endpoint}/deliveries", team.maintainer).json()["items"]
    return {"endpoint_id": answer.json()["id"], "delivery_id": delivery["id"]}


def report_of(team: Team, scan: str) -> str:
    """A report that is ready, as a worker leaves it."""
    report, tenant = uuid7(), team.organisation
    engine = create_engine(team.environment["DATABASE_OWNER_URL"])
    with Session(engine) as session:
        bind_worker_setting(session, "app.tenant_id", tenant)
        session.add(
            Report(
                id=report,
                tenant_id=tenant,
                scan_id=UUID(scan),
                format="csv",
                state="ready",
                requested_by=uuid7(),
                results_version=1,
                size=4,
                sha256=sha256(b"a,b\n").hexdigest(),
            )
        )
        session.flush()
        session.add(ReportContent(tenant_id=tenant, report_id=report, compressed=compress(b"a,b\n")))
        session.commit()
    engine.dispose()
    return str(report)


def branch_of(team: Team) -> str:
    [branch] = team.get(f"/projects/{team.project}/branches").json()["items"]
    return str(branch["id"])


def dead_letter_of(team: Team) -> str:
    scan = scan_of(team)
    engine = create_engine(team.environment["DATABASE_URL"])
    with engine.begin() as connection:
        statement = text(
            "UPDATE outbox_events SET dead_at = now(), last_error = 'x' WHERE payload->>'scan_id' = :scan RETURNING id"
        )
        found = connection.execute(statement, {"scan": scan}).scalar_one()
    engine.dispose()
    return str(found)


def things_of(team: Team) -> dict[str, object]:
    """Something of each kind that the team's organisation owns."""
    [finding] = team.scan(*seen(LIST))
    admin = team.people.member(team.organisation, "admin")
    organisation = f"{API}/organisations/{team.organisation}"
    invitation = team.client.post(f"{organisation}/invitations", json={"role": "viewer"}, headers=admin)
    key = team.client.post(f"{API}/api-keys", json={"name": "CI", "scopes": []}, headers=admin)
    scan = scan_of(team)
    return {
        "project_id": team.project,
        "scan_id": scan,
        "report_id": report_of(team, scan),
        "finding_id": finding,
        **delivery_of(team),
        "dead_letter_id": dead_letter_of(team),
        "branch_id": branch_of(team),
        "organisation_id": team.organisation,
        "account_id": team.developer["X-Named-Caller"],
        "invitation_id": invitation.json()["id"],
        "key_id": key.json()["id"],
    }


def test_every_route_lets_in_whom_it_must_and_nobody_else(
    client: TestClient, app: FastAPI, people: People
) -> None:
    organisation = people.organisation()
    granted = {name: set(permissions) | {"organisation:read"} for name, permissions in ROLES.items()}
    granted["admin"] |= {"organisation:manage"}
    granted["owner"] = granted["admin"]
    callers = [Caller(name, people.member(organisation, name), granted[name]) for name in granted]
    narrow = frozenset({"findings:read"})
    callers += [STRANGER, Caller("key", people.member(organisation, "admin", scopes=narrow), narrow)]
    public = {str(each) for each in operations_of(app) if each.public}

    found = [
        each
        for each in authorization_violations(
            client, app, callers, public=public, values={"organisation_id": organisation}
        )
        if not any(name in each for name in NOT_OF_MEMBERS)
        and not each.startswith(tuple(f"{name}: key got 403" for name in IN_PERSON))
        # Others are removed by whoever manages; everybody may leave.
        and not ("DELETE" in each and "/members/" in each and "got 403, and may call it" in each)
    ]

    assert not found, "\n".join(found)
    ours = {name for name in public if any(word in name for word in ("/projects", "/scans", "/findings"))}
    assert ours == set()
    assert ADMIN == EVERY_PERMISSION  # a permission that nobody has would be a route that nobody may call


def test_another_organisation_learns_nothing_and_changes_nothing(
    client: TestClient, app: FastAPI, team: Team
) -> None:
    mallory = Team(client, team.people, team.environment)
    of_components = {
        str(each)
        for each in operations_of(app)
        if any(name not in OURS for name in each.parameters) or each.path.startswith(f"{API}/accounts")
    }

    found = cross_tenant_violations(
        client,
        app,
        owner=team.people.member(team.organisation, "owner"),
        stranger=team.people.member(mallory.organisation, "owner"),
        owned=things_of(team),
        own=things_of(mallory),
        shared=of_components,
    )

    assert found == []


def test_the_database_alone_holds_when_every_filter_is_forgotten(
    team: Team, service_environment: Mapping[str, str], people: People
) -> None:
    team.scan(*seen(LIST))
    report_of(team, scan_of(team))
    delivery_of(team)
    evil = people.organisation("Evil")
    engine = create_engine(service_environment["DATABASE_URL"])

    def visible(tenant: object) -> dict[str, int]:
        with Session(engine) as session:
            bind_worker_setting(session, "app.tenant_id", tenant)
            return {
                name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in TABLES
            }

    own, foreign, nobody = visible(team.organisation), visible(evil), visible(None)
    engine.dispose()

    assert all(own[name] for name in TABLES if name not in ("scan_roots", "scan_events", "webhook_attempts"))
    assert set(foreign.values()) == set(nobody.values()) == {0}


def test_a_table_of_an_organisation_is_behind_the_wall(service_environment: Mapping[str, str]) -> None:
    engine = create_engine(service_environment["DATABASE_OWNER_URL"])
    statement = text(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE a.attname = 'tenant_id' AND c.relkind = 'r' AND NOT c.relrowsecurity ORDER BY 1"
    )
    with engine.connect() as connection:
        open_ones = [name for (name,) in connection.execute(statement)]
    engine.dispose()

    # Whose rows are looked for before the organisation is known.
    assert open_ones == ["api_keys"]
