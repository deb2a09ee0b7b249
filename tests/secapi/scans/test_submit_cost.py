"""A submission is cheap: few statements, one commit, and nothing else waits for it."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event
from tests.secapi.conftest import People, archive
from tests.secapi.scans.test_submitting import upload

from fastapi_architect.components.database import Database
from fastapi_architect.components.service import installed
from fastapi_architect.components.testing.statements import statements

WRITES = ("INSERT", "UPDATE", "DELETE")


def test_a_submission_writes_in_four_statements_and_one_commit(
    app: FastAPI, client: TestClient, people: People
) -> None:
    caller = people.member(people.organisation(), "maintainer")
    project = client.post("/api/v1/projects", json={"name": "Shop"}, headers=caller).json()["id"]
    body = {"upload_id": upload(client, caller, archive(main="x = 1"))}
    engine = installed(app, Database).engine
    commits: list[object] = []
    event.listen(engine.sync_engine, "commit", commits.append)

    with statements(engine) as counted:
        answer = client.post(
            f"/api/v1/projects/{project}/scans", json=body, headers=caller | {"Idempotency-Key": '"a"'}
        )

    assert answer.status_code == 202, answer.text
    writes = [each for each in counted.texts if each.startswith(WRITES)]
    assert len(writes) <= 4, writes
    assert len(commits) == 1
    # Who calls, for which organisation, whether it was done before, and what it is checked against.
    assert counted.count - len(writes) <= 6, counted.texts
