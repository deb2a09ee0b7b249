"""Finding a finding among ten thousand, and deciding about many that others may be deciding about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.orm import Session
from tests.secapi.conftest import People
from tests.secapi.findings.test_matching import LIST, seen
from tests.secapi.findings.test_triage import Team
from uuid_utils.compat import uuid7

from fastapi_architect.components.database import Database, bind_worker_setting
from fastapi_architect.components.service import installed

API = "/api/v1"
#: Rows of findings that look alike, in one branch of one project.
MANY = """
WITH made AS (
  INSERT INTO findings (id, tenant_id, project_id, root, fingerprint, rule, title, category, severity, severity_rank, confidence,
    triage, version)
  SELECT gen_random_uuid(), :tenant, :project, '', n::text, 'rule-' || n % 50, 'A title', 'security', 'minor', 2 + n % 3, 'firm',
    'open', 1 FROM generate_series(1, :count) n RETURNING id)
INSERT INTO findings_in_branches (id, tenant_id, finding_id, branch_id, presence, first_scan_id, last_scan_id, file, line,
    is_proposed_ignored, document)
SELECT gen_random_uuid(), :tenant, made.id, branches.id, 'open', :tenant, :tenant, 'app/x.py', 1, false, '{"title": "A title"}'
FROM made, branches WHERE branches.project_id = :project
"""


@pytest.fixture
def team(client: TestClient, people: People, service_environment: Mapping[str, str]) -> Team:
    return Team(client, people, service_environment)


def found(team: Team, **query: object) -> list[str]:
    answer = team.get(f"/projects/{team.project}/findings", **query)
    assert answer.status_code == 200, answer.text
    return sorted(each["rule"] for each in answer.json()["items"])


def test_findings_are_found_by_words_and_by_age(team: Team) -> None:
    team.scan(*seen(LIST), *seen(("lib/digest.py", 3, "lib.digest.sign", "md5(x)"), rule="weak-hash"))
    now = datetime.now(UTC)

    assert found(team, words="sql injection") == ["sql-injection"]
    assert found(team, words="hash OR injection") == ["sql-injection", "weak-hash"]
    assert found(team, words="t -hash") == ["sql-injection"]
    assert found(team, words='"injection sql"') == []
    assert found(team, words="lib/digest.py") == ["weak-hash"]
    for hostile in ("'", '"', "\\", ":*", "(((", "%", "& | !"):
        found(team, words=hostile)
    assert len(found(team, found_after=(now - timedelta(hours=1)).isoformat())) == 2
    assert found(team, found_before=(now - timedelta(hours=1)).isoformat()) == []


def test_several_are_decided_as_far_as_they_are_what_the_caller_has_seen(team: Team) -> None:
    [first, second] = team.scan(*seen(LIST), *seen(LIST, rule="weak-hash"))
    team.decide(first, triage="confirmed")
    stranger = uuid7()
    body = {
        "finding_ids": [str(first), str(second), str(stranger)],
        "seen": {str(first): 1, str(second): 1},
        "triage": "false_positive",
        "reason": "No.",
        "partial": True,
    }

    answer = team.client.post(
        f"{API}/projects/{team.project}/findings/triage", json=body, headers=team.developer
    )

    outcomes = {
        UUID(each["finding_id"]): (each["outcome"], each.get("version")) for each in answer.json()["results"]
    }
    assert outcomes == {
        first: ("changed_meanwhile", 2),
        second: ("decided", 2),
        stranger: ("not_found", None),
    }
    assert answer.json()["changed"] == 1
    assert team.get(f"/findings/{first}").json()["triage"] == "confirmed"
    for wrong in ({"partial": False}, {"seen": {str(uuid7()): 1}}):
        place = f"{API}/projects/{team.project}/findings/triage"
        assert team.client.post(place, json=body | wrong, headers=team.developer).status_code == 422


def plan_of_words(connection: Connection, team: Team) -> str:
    """Return how the function looks for words, which the plan of whoever calls it does not show."""
    body = connection.execute(
        text("SELECT prosrc FROM pg_proc WHERE proname = 'findings_with_words'")
    ).scalar_one()
    branch = text("SELECT quote_literal(id) || '::uuid' FROM branches WHERE project_id = :project")
    values = {
        "branch": connection.execute(branch, {"project": team.project}).scalar_one(),
        "words": "'rare'::tsquery",
    }
    connection.execute(text("SELECT set_config('app.tenant_id', :id, false)"), {"id": str(team.organisation)})
    written = re.sub(r"\b(branch|words)\b", lambda name: values[name[1]], body)
    return "\n".join(connection.exec_driver_sql(f"EXPLAIN {written}").scalars())


def test_the_function_that_looks_for_words_finds_those_of_the_own_organisation_only(team: Team) -> None:
    others = Team(team.client, team.people, team.environment)
    [own], [foreign] = team.scan(*seen(LIST)), others.scan(*seen(LIST))
    owner = create_engine(team.environment["DATABASE_OWNER_URL"])
    with owner.connect() as connection:
        connection.execute(text("SET row_security = off"))
        branches = dict(connection.execute(text("SELECT project_id, id FROM branches")).all())
    owner.dispose()
    ask = text("SELECT findings_with_words(:branch, websearch_to_tsquery('simple', 'injection'))")
    engine = create_engine(team.environment["DATABASE_URL"])
    with Session(engine) as session:
        for organisation, found_there in (
            (None, ([], [])), (team.organisation, ([own], [])), (others.organisation, ([], [foreign])),
        ):  # fmt: skip
            bind_worker_setting(session, "app.tenant_id", organisation)
            places = [{"branch": branches[each.project]} for each in (team, others)]
            assert tuple(list(session.scalars(ask, place)) for place in places) == found_there
    engine.dispose()


def test_words_are_those_of_the_branch_that_is_asked_for(team: Team) -> None:
    team.scan(*seen(LIST))
    team.scan(*seen(LIST, rule="weak-hash"), branch="topic")

    assert found(team, words="injection") == ["sql-injection"]
    assert found(team, words="hash") == []
    assert found(team, words="hash", branch="topic") == ["weak-hash"]
    assert found(team, words="hash", branch="gone") == []


def test_no_list_reads_ten_thousand_findings_one_by_one(team: Team, app: FastAPI) -> None:
    others = Team(team.client, team.people, team.environment)
    owner = create_engine(team.environment["DATABASE_OWNER_URL"])
    for each, count in ((team, 2_000), (others, 8_000)):
        each.scan(*seen(LIST))
        with owner.begin() as connection:
            connection.execute(text("SET LOCAL row_security = off"))
            connection.execute(
                text(MANY), {"tenant": each.organisation, "project": each.project, "count": count}
            )
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
        of_words = plan_of_words(connection, team)
    owner.dispose()
    assert "ix_findings_in_branches_words" in of_words, of_words
    plans: list[str] = []

    def explain(connection, cursor, statement, parameters, context, executemany) -> None:  # type: ignore[no-untyped-def]
        if statement.startswith("SELECT findings.") and "LIMIT" in statement:
            cursor.execute("EXPLAIN " + statement, parameters)
            plans.append("\n".join(row[0] for row in cursor.fetchall()))

    engine = installed(app, Database).engine.sync_engine
    event.listen(engine, "before_cursor_execute", explain)
    for query in ({}, {"sort": "newest"}, {"sort": "oldest"}, {"rule": "rule-7"}, {"words": "title"}):
        found(team, **query)
    event.remove(engine, "before_cursor_execute", explain)

    assert len(plans) == 5
    for plan in plans:
        assert "Seq Scan on findings" not in plan, plan
