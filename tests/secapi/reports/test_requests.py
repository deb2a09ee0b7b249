"""Reports over HTTP, made by a worker on real servers."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from tests.report.samples import a_review
from tests.secapi.conftest import Headers, People
from tests.secapi.scans.test_submitting import a_project, upload

from fastapi_architect.components.database import Database, bind_worker_setting
from fastapi_architect.components.outbox import HandlerContext, Outbox
from fastapi_architect.components.service import components_of, installed
from fastapi_architect.report.json import document
from fastapi_architect.secapi.reports.component import Reports
from fastapi_architect.secapi.reports.tasks import reap
from fastapi_architect.secapi.retention.tasks import sweep
from fastapi_architect.secapi.scans.completing import RootReport, complete, scan_of
from fastapi_architect.secapi.scans.models import ScanRoot

API = "/api/v1"


class Shop:
    """An organisation with a scan that a test ends, and a worker that a test lets work."""

    def __init__(self, app: FastAPI, client: TestClient, people: People) -> None:
        self.app, self.client, self.people = app, client, people
        self.organisation = people.organisation()
        self.developer = people.member(self.organisation, "developer")
        self.project = a_project(client, people, self.organisation)
        self.scan = self.submit()

    def submit(self) -> str:
        body = {"upload_id": upload(self.client, self.developer)}
        answer = self.client.post(f"{API}/projects/{self.project}/scans", json=body, headers=self.developer)
        return str(answer.json()["id"])

    def end(self) -> None:
        """End the scan with two application roots and a third one that could not be reviewed."""
        report = json.loads(json.dumps(document(a_review())))
        roots = [
            RootReport("", report),
            RootReport("api", report),
            RootReport("lost", None, error="x", code="x"),
        ]
        with self.session() as session:
            row = scan_of(session, UUID(self.scan))
            assert row is not None
            for each in roots:
                session.add(
                    ScanRoot(
                        tenant_id=self.organisation, scan_id=row.id, path=each.root, proposed=[], walls={},
                        report=each.report, error=each.error, error_code=each.code,
                    )
                )  # fmt: skip
            complete(session, row, roots)
            session.commit()

    def session(self) -> Session:
        session = installed(self.app, Database).sync_sessions()
        bind_worker_setting(session, "app.tenant_id", self.organisation)
        return session

    def work(self) -> None:
        """Do what a worker does."""
        runtime = installed(self.app, Outbox).runtime(components_of(self.app))
        while runtime.handle_next() is not None:
            pass

    def handle(self, handler: Any) -> None:
        """Let a task of every so often happen now."""
        parts = components_of(self.app)
        with installed(self.app, Database).sync_sessions() as session:
            handler(HandlerContext(UUID(int=1), "x", 1, False, "-", session, parts), {})
            session.commit()

    def ask(self, report_format: str, caller: Headers | None = None, **headers: str) -> Any:
        return self.client.post(
            f"{API}/scans/{self.scan}/reports",
            json={"format": report_format},
            headers=(caller or self.developer) | headers,
        )

    def get(self, path: str, caller: Headers | None = None, **query: Any) -> Any:
        return self.client.get(f"{API}{path}", params=query, headers=caller or self.developer)

    def as_owner(self, statement: str, **values: object) -> list[Any]:
        engine = create_engine(self.people._owner_url)
        with engine.begin() as connection:
            found = connection.execute(text(statement), values)
            rows = list(found) if found.returns_rows else []
        engine.dispose()
        return rows


@pytest.fixture
def shop(app: FastAPI, client: TestClient, people: People) -> Iterator[Shop]:
    made = Shop(app, client, people)
    yield made
    installed(app, Database).sync_engine.dispose()


def test_a_report_is_asked_for_made_by_a_worker_and_downloaded_in_every_format(shop: Shop) -> None:
    unfinished = shop.ask("csv")
    shop.end()
    asked = {name: shop.ask(name) for name in ("json", "sarif", "html", "csv")}
    reports = {name: each.json()["id"] for name, each in asked.items()}
    waiting = shop.get(f"/reports/{reports['csv']}/content")
    shop.work()
    came = {name: shop.get(f"/reports/{each}/content") for name, each in reports.items()}

    assert (unfinished.status_code, "queued" in unfinished.json()["detail"]) == (409, True)
    assert {each.status_code for each in asked.values()} == {202}
    assert asked["csv"].headers["location"] == f"{API}/reports/{reports['csv']}"
    assert (waiting.status_code, waiting.headers["retry-after"]) == (409, "2")
    assert {name: each.headers["content-type"] for name, each in came.items()} == {
        "json": "application/json",
        "sarif": "application/sarif+json",
        "html": "text/html; charset=utf-8",
        "csv": "text/csv; charset=utf-8; header=present",
    }
    for name, each in came.items():
        known = shop.get(f"/reports/{reports[name]}").json()
        assert known["state"] == "ready"
        assert (known["size"], known["sha256"]) == (
            len(each.content),
            hashlib.sha256(each.content).hexdigest(),
        )
        assert each.headers["content-disposition"].startswith(
            f'attachment; filename="scan-{shop.scan}.{name}"'
        )
        assert each.headers["x-content-type-options"] == "nosniff"
        assert "no-store" in each.headers["cache-control"]
    findings = len(document(a_review())["findings"])
    rows = list(csv.DictReader(io.StringIO(came["csv"].text, newline="")))
    assert len(rows) == 2 * findings
    assert {row["change"] for row in rows} == {"new"}
    listed = shop.get(f"/projects/{shop.project}/findings", limit=100).json()["items"]
    assert {row["finding_id"] for row in rows} == {each["id"] for each in listed}
    assert [len(each["results"]) for each in came["sarif"].json()["runs"]][2] == 0
    assert came["html"].text.startswith("<!doctype html>")
    logged = shop.as_owner(
        "SELECT action, count(*) FROM audit_events WHERE subject_type = 'report' GROUP BY 1"
    )
    assert dict(map(tuple, logged)) == {"report.requested": 4, "report.downloaded": 4}


def test_the_same_report_is_made_once_until_somebody_decides(shop: Shop) -> None:
    shop.end()
    first, again = shop.ask("csv").json(), shop.ask("csv").json()
    shop.work()
    ready = shop.ask("csv").json()
    finding = shop.get(f"/projects/{shop.project}/findings").json()["items"][0]["id"]
    body = {"triage": "false_positive", "reason": "=A closed list."}
    decided = shop.client.patch(
        f"{API}/findings/{finding}", json=body, headers=shop.developer | {"If-Match": '"1"'}
    )
    keyed = [shop.ask("csv", **{"Idempotency-Key": '"one"'}).json() for _ in "ab"]
    shop.work()

    assert decided.status_code == 200
    assert (first["id"], first["state"], ready["state"]) == (again["id"], "queued", "ready")
    assert ready["id"] == first["id"]
    assert keyed[0]["id"] == keyed[1]["id"] != first["id"]
    table = shop.get(f"/reports/{keyed[0]['id']}/content").text
    [row] = [each for each in csv.DictReader(io.StringIO(table, newline="")) if each["finding_id"] == finding]
    assert (row["triage"], row["reason"], row["silenced"]) == ("false_positive", "'=A closed list.", "yes")
    page = shop.get(f"/scans/{shop.scan}/reports", limit=1).json()
    rest = shop.get(f"/scans/{shop.scan}/reports", cursor=page["next_cursor"]).json()
    assert [each["id"] for each in page["items"] + rest["items"]] == [keyed[0]["id"], first["id"]]


def test_findings_of_a_scan_that_came_too_late_are_recognised(shop: Shop) -> None:
    shop.end()
    # So it is kept when a newer scan of the branch has ended before.
    shop.as_owner("UPDATE scan_roots SET findings = NULL")
    report = shop.ask("json").json()["id"]
    shop.work()
    roots = shop.get(f"/reports/{report}/content").json()["roots"]

    listed = shop.get(f"/projects/{shop.project}/findings", limit=100).json()["items"]
    places = {each["id"]: (each["root"], each["file"], each["line"]) for each in listed}
    found = [
        (places[decision["finding_id"]], (root["path"], finding["file"], finding["line"]), decision["change"])
        for root in roots
        if root["report"]
        for finding, decision in zip(root["report"]["findings"], root["decisions"], strict=True)
    ]
    assert len(found) == 2 * len(document(a_review())["findings"])
    assert all(known == told and change is None for known, told, change in found)


def test_who_only_reads_asks_for_none_and_others_learn_nothing(shop: Shop) -> None:
    shop.end()
    viewer = shop.people.member(shop.organisation, "viewer")
    report = shop.ask("csv").json()["id"]
    shop.work()
    stranger = shop.people.member(shop.people.organisation("Evil"), "admin")

    assert shop.ask("csv", viewer).status_code == 403
    assert shop.client.delete(f"{API}/reports/{report}", headers=viewer).status_code == 403
    assert shop.get(f"/reports/{report}/content", viewer).status_code == 200
    assert shop.ask("csv", stranger).status_code == 404
    for path in (f"/reports/{report}", f"/reports/{report}/content", f"/scans/{shop.scan}/reports"):
        assert shop.get(path, stranger).status_code == 404
    assert shop.client.delete(f"{API}/reports/{report}", headers=stranger).status_code == 404
    assert shop.client.delete(f"{API}/reports/{report}", headers=shop.developer).status_code == 204
    assert shop.get(f"/reports/{report}").status_code == 404
    assert shop.as_owner("SELECT count(*) FROM report_contents")[0][0] == 0


def test_a_report_ends_when_its_time_is_over_or_it_cannot_be_made(shop: Shop) -> None:
    shop.end()
    report = shop.ask("csv").json()["id"]
    shop.work()
    shop.as_owner("UPDATE reports SET expires_at = now()")
    before = shop.get(f"/reports/{report}/content"), shop.get(f"/reports/{report}").json()["state"]
    shop.handle(sweep)
    after = shop.get(f"/reports/{report}/content")
    contents = shop.as_owner("SELECT count(*) FROM report_contents")[0][0]
    shop.as_owner("UPDATE reports SET expires_at = now() - interval '31 days'")
    shop.handle(sweep)
    forgotten = shop.get(f"/reports/{report}")
    reports = installed(shop.app, Reports)
    reports.settings = reports.settings.model_copy(update={"report_bytes": 1024})
    large = shop.ask("json").json()["id"]
    shop.work()
    dead = shop.ask("html").json()["id"]
    shop.as_owner(
        "UPDATE outbox_events SET dead_at = now(), last_error = 'x' WHERE payload->>'report_id' = :id",
        id=dead,
    )
    shop.handle(reap)
    refused = shop.get(f"/reports/{large}/content")

    assert (before[0].status_code, before[1], after.status_code, contents) == (410, "expired", 410, 0)
    assert forgotten.status_code == 404
    assert shop.get(f"/reports/{large}").json()["error_code"] == "report-too-large"
    assert (refused.status_code, "1024 are the most" in refused.json()["detail"]) == (409, True)
    assert shop.get(f"/reports/{dead}").json()["error_code"] == "attempts-exhausted"
