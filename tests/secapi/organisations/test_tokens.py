"""Keys with which CI acts for a member of an organisation: no further than their scopes, nor than the member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, event, text
from tests.secapi.conftest import Headers, People

from fastapi_architect.components.database import Database
from fastapi_architect.components.service import installed

API = "/api/v1"


class Company:
    """An organisation whose members have accounts, as keys ask for these."""

    def __init__(self, client: TestClient, people: People, environment: Mapping[str, str]) -> None:
        self.client, self._people, self._environment = client, people, environment
        self.organisation = people.organisation()

    def member(self, role: str) -> Headers:
        member = self._people.member(self.organisation, role)
        account = member["X-Named-Caller"]
        self.run(
            "INSERT INTO accounts (id, email, email_key, roles, version) VALUES (:id, :mail, :mail, '{user}', 1)",
            id=account,
            mail=f"{account}@example.com",
        )
        return member

    def run(self, statement: str, **values: Any) -> None:
        engine = create_engine(self._environment["DATABASE_OWNER_URL"])
        with engine.begin() as connection:
            connection.execute(text(statement), values)
        engine.dispose()

    def key(self, member: Headers, *scopes: str) -> dict[str, Any]:
        answer = self.client.post(f"{API}/api-keys", json={"name": "CI", "scopes": [*scopes]}, headers=member)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def status(self, key: Mapping[str, Any], method: str, path: str, **more: Any) -> int:
        headers = {"X-API-Key": key["key"], **more.pop("headers", {})}
        return self.client.request(method, f"{API}{path}", headers=headers, **more).status_code


@pytest.fixture
def company(client: TestClient, people: People, service_environment: Mapping[str, str]) -> Company:
    return Company(client, people, service_environment)


NEW = {"json": {"name": "Shop"}}


def test_members_see_who_the_others_are_by_one_query_and_nobody_else_does(
    company: Company, people: People, app: FastAPI
) -> None:
    viewer, url = company.member("viewer"), f"{API}/organisations/{company.organisation}/members"
    stranger = people.member(people.organisation("Other"), "admin")
    counted: list[str] = []
    event.listen(
        installed(app, Database).engine.sync_engine,
        "before_cursor_execute",
        lambda *arguments: counted.append(arguments[2]),
    )

    def statements() -> int:
        counted.clear()
        assert company.client.get(url, headers=viewer).status_code == 200
        return len(counted)

    alone = statements()
    others = [company.member("developer") for _ in range(3)]
    assert statements() == alone
    listed = company.client.get(url, headers=viewer).json()["items"]
    assert {each["email"] for each in listed} == {
        f"{each['X-Named-Caller']}@example.com" for each in (viewer, *others)
    }
    assert company.client.get(url, headers=stranger).status_code == 404


def test_a_key_does_what_its_scopes_and_its_owners_role_both_allow(company: Company) -> None:
    maintainer, developer = company.member("maintainer"), company.member("developer")
    narrow = company.key(maintainer, "projects:read")
    wide = company.key(maintainer, "projects:read", "projects:write")
    beyond = {"name": "CI", "scopes": ["projects:write"]}

    assert company.status(narrow, "GET", "/projects") == 200
    assert company.status(narrow, "POST", "/projects", **NEW) == 403
    assert company.status(wide, "POST", "/projects", **NEW) == 201
    assert company.client.post(f"{API}/api-keys", json=beyond, headers=developer).status_code == 403


def test_what_its_owner_loses_a_key_loses_at_once(company: Company) -> None:
    maintainer, admin = company.member("maintainer"), company.member("admin")
    key = company.key(maintainer, "projects:read", "projects:write")
    members = f"{API}/organisations/{company.organisation}/members/{maintainer['X-Named-Caller']}"

    company.client.put(f"{members}/role", json={"role": "viewer"}, headers=admin)
    demoted = company.status(key, "GET", "/projects"), company.status(key, "POST", "/projects", **NEW)
    company.client.delete(members, headers=admin)
    removed = company.status(key, "GET", "/projects")

    assert demoted == (200, 403)
    assert removed == 404


def test_a_key_is_good_for_its_organisation_alone(company: Company, people: People) -> None:
    maintainer = company.member("maintainer")
    key = company.key(maintainer, "projects:read")
    other = people.organisation("Other")
    statement = "INSERT INTO memberships (id, tenant_id, account_id, role) VALUES (gen_random_uuid(), :t, :a, 'owner')"
    company.run(statement, t=other, a=UUID(maintainer["X-Named-Caller"]))

    assert company.status(key, "GET", "/projects") == 200
    assert company.status(key, "GET", "/projects", headers={"X-Organisation-ID": str(other)}) == 404


def test_an_expired_or_revoked_key_is_worth_nothing(company: Company) -> None:
    maintainer, admin = company.member("maintainer"), company.member("admin")
    revoked, expired = (company.key(maintainer, "projects:read") for _ in range(2))
    company.client.delete(f"{API}/api-keys/{revoked['id']}", headers=admin)
    company.run("UPDATE api_keys SET expires_at = now() WHERE id = :id", id=expired["id"])

    assert company.status(revoked, "GET", "/projects") == company.status(expired, "GET", "/projects") == 401


def test_a_key_is_shown_once_and_the_log_does_not_know_it(company: Company) -> None:
    maintainer, admin = company.member("maintainer"), company.member("admin")
    made = company.key(maintainer, "projects:read")

    listed = company.client.get(f"{API}/api-keys", headers=admin).json()["items"]
    [event] = company.client.get(f"{API}/audit-events", headers=admin).json()["items"]

    assert [each["id"] for each in listed] == [made["id"]]
    assert "key" not in listed[0]
    assert (event["action"], event["details"]["scopes"]) == ("api_key.created", ["projects:read"])
    assert made["key"] not in str(event)


def test_a_key_makes_no_other_key(company: Company) -> None:
    key = company.key(company.member("admin"), "api_keys:own", "api_keys:manage", "projects:read")

    for wanted in ({}, {"for_service": True}):
        body = {"name": "next", "scopes": ["projects:read"]} | wanted
        assert company.status(key, "POST", "/api-keys", json=body) == 403
