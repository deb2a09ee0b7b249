"""Reading is cheap: few statements, however many findings there are, with a key as CI jobs have it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from tests.secapi.conftest import People
from tests.secapi.findings.test_matching import LIST, seen
from tests.secapi.findings.test_triage import Team
from uuid_utils.compat import uuid7

from fastapi_architect.components.accounts.models import Account
from fastapi_architect.components.api_keys.service import NewKey, make_key
from fastapi_architect.components.database import Database
from fastapi_architect.components.service import Principal, installed
from fastapi_architect.components.tenancy.models import Membership
from fastapi_architect.components.testing.statements import statement_growth, statements

API = "/api/v1"


@pytest.fixture
def team(client: TestClient, people: People, service_environment: Mapping[str, str]) -> Team:
    return Team(client, people, service_environment)


@pytest.fixture
def key(team: Team) -> dict[str, str]:
    """The headers of somebody with an account, a role in the organisation, and a key of it that was used lately."""
    account = Account(id=uuid7(), email="ci@example.com", email_key="ci@example.com", roles=["user"])
    owner = Principal(account.id, tenant_id=team.organisation)
    new, text_of_key = make_key("app", NewKey("CI", frozenset({"findings:read"}), timedelta(days=1)), owner)
    engine = create_engine(team.environment["DATABASE_OWNER_URL"])
    with Session(engine) as session:
        member = Membership(tenant_id=team.organisation, account_id=account.id, role="viewer")
        session.add_all([account, new, member])
        session.commit()
        session.execute(text("UPDATE api_keys SET last_used_at = now()"))
        session.commit()
    engine.dispose()
    return {"X-API-Key": text_of_key}


def test_a_finding_is_read_by_three_statements(team: Team, app: FastAPI, key: dict[str, str]) -> None:
    [finding] = team.scan(*seen(LIST))
    with statements(installed(app, Database).engine) as counted:
        assert team.get(f"/findings/{finding}", key).status_code == 200

    who, where, what = counted.texts
    assert "api_keys" in who
    assert "accounts" in who
    assert "memberships" in where
    assert "findings" in what


def test_a_key_reads_nothing_more_once_its_owner_left_or_was_locked_out(
    team: Team, key: dict[str, str]
) -> None:
    [finding] = team.scan(*seen(LIST))
    assert team.get(f"/findings/{finding}", key).status_code == 200
    engine = create_engine(team.environment["DATABASE_OWNER_URL"])
    for change, status in (
        ("UPDATE memberships SET role = 'nobody'", 403),
        ("DELETE FROM memberships", 404),
        ("UPDATE accounts SET deactivated_at = now()", 401),
    ):
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL row_security = off"))
            connection.execute(text(change))
        assert team.get(f"/findings/{finding}", key).status_code == status
    engine.dispose()


def test_a_list_costs_three_statements_however_long_it_is(
    team: Team, app: FastAPI, key: dict[str, str]
) -> None:
    place = f"/projects/{team.project}/findings"
    engine = installed(app, Database).engine
    added: list[str] = []

    def add(count: int) -> None:
        added.extend(f"rule-{len(added) + n}" for n in range(count))
        team.scan(*(each for rule in added for each in seen(LIST, rule=rule)))

    assert statement_growth(engine, add, lambda: team.get(place, key, limit=100)) == []
    with statements(engine) as counted:
        assert len(team.get(place, key, limit=100).json()["items"]) == 20

    assert counted.count == 3
    assert ".document" not in counted.texts[-1]


def test_a_list_of_nothing_tells_a_project_without_findings_from_none(
    team: Team, key: dict[str, str]
) -> None:
    assert team.get(f"/projects/{team.project}/findings", key).json()["items"] == []
    assert team.get(f"/projects/{uuid7()}/findings", key).status_code == 404
