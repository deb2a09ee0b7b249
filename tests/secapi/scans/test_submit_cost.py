"""A submission is cheap: few statements, one commit, and nothing else waits for it."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event
from tests.secapi.conftest import People, archive
from tests.secapi.scans.test_submitting import upload

from fastapi_architect.components.database import Database
from fastapi_architect.components.service import installed

WRITES = ("INSERT", "UPDATE", "DELETE")


def test_a_submission_writes_in_four_statements_and_one_commit(
    app: FastAPI, client: TestClient, people: People
) -> None:
    caller = people.member(people.organisation(), "maintainer")
    project = client.post("/api/v1/projects", json={"name": "Shop"}, headers=caller).json()["id"]
    body = {"upload_id": upload(client, caller, archive(main="x = 1"))}
    engine = installed(app, Database).engine.sync_engine
    log: list[str] = []
    event.listen(
        engine, "before_cursor_execute", lambda _, __, text, *rest: log.append(text.partition(" ")[0])
    )
    event.listen(engine, "commit", lambda _: log.append("COMMIT"))

    answer = client.post(
        f"/api/v1/projects/{project}/scans", json=body, headers=caller | {"Idempotency-Key": '"a"'}
    )

    assert answer.status_code == 202, answer.text
    first = next(place for place, word in enumerate(log) if word in WRITES)
    # Before it: who calls, for which organisation, whether it was done before, and what it is checked against.
    assert len([word for word in log[:first] if word != "COMMIT"]) <= 6, log
    assert len(log[first:-1]) <= 4
    assert set(log[first:-1]) <= set(WRITES)
    assert log[-1] == "COMMIT"
