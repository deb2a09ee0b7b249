"""What endpoints are told when scans end: signed, small, once for each change, and only if the scan really ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session
from standardwebhooks import WebhookVerificationError
from tests.secapi.conftest import People, archive
from tests.secapi.findings.test_matching import LIST, seen
from tests.secapi.receiving import reaching, verified
from tests.secapi.scans.test_submitting import a_project, upload

from fastapi_architect.components.database import Database, bind_worker_setting
from fastapi_architect.components.outbox import Outbox, add_event
from fastapi_architect.components.service import components_of, installed
from fastapi_architect.components.webhooks import WebhookMessage, Webhooks
from fastapi_architect.components.webhooks.tests.conftest import Receiver, receiver  # noqa: F401 - a fixture
from fastapi_architect.secapi.gates.changes import tell_expired
from fastapi_architect.secapi.gates.component import EXPIRE
from fastapi_architect.secapi.scans.completing import RootReport, complete, scan_of
from fastapi_architect.secapi.scans.telling import NAMED

API = "/api/v1"


@pytest.fixture
def service_environment(service_environment: Mapping[str, str], receiver: Receiver) -> Mapping[str, str]:  # noqa: F811
    """The environment in which webhooks may reach the receiver."""
    return {**service_environment, **reaching(receiver)}


class Shop:
    """An organisation whose scans end as a test says, and whose endpoint is on this machine."""

    def __init__(self, app: FastAPI, client: TestClient, people: People, url: str) -> None:
        self.app, self.client = app, client
        self.organisation = people.organisation()
        self.maintainer = people.member(self.organisation, "maintainer")
        self.project = a_project(client, people, self.organisation)
        made = client.post(f"{API}/webhook-endpoints", json={"url": url}, headers=self.maintainer)
        assert made.status_code == 201, made.text
        self.endpoint, self.secret = made.json()["id"], made.json()["secret"]

    def submit(self) -> str:
        body = {"upload_id": upload(self.client, self.maintainer, archive(main="x = 1")), "branch": "a/b"}
        scans = f"{API}/projects/{self.project}/scans"
        return str(self.client.post(scans, json=body, headers=self.maintainer).json()["id"])

    def end(self, *found: Any, error: str | None = None, commit: bool = True) -> str:
        """End a scan with these findings, as a worker does; or with an error, or not at all."""
        scan = self.submit()
        report = {
            "score": 50,
            "model": "m",
            "not_analysed": [],
            "findings": [each.document for each in found],
        }
        root = RootReport("", None if error else report, error=error, code=error)
        engine = create_engine(installed(self.app, Database).settings.url.get_secret_value())
        with Session(engine) as session:
            bind_worker_setting(session, "app.tenant_id", self.organisation)
            row = scan_of(session, UUID(scan))
            assert row is not None
            complete(session, row, [root])
            session.commit() if commit else session.rollback()
        engine.dispose()
        return scan

    def messages(self) -> int | None:
        """Return how many messages are there for the endpoints of the organisation."""
        with installed(self.app, Database).sync_sessions() as session:
            bind_worker_setting(session, "app.tenant_id", self.organisation)
            return session.scalar(select(func.count()).select_from(WebhookMessage))

    def work(self) -> None:
        """Do what a worker does for webhooks, and let it skip the scans."""
        parts = components_of(self.app)
        runtime = installed(self.app, Outbox).runtime(parts)
        while runtime.handle_next() is not None:
            pass
        installed(self.app, Webhooks).close_in_worker()


@pytest.fixture
def shop(app: FastAPI, client: TestClient, people: People, receiver: Receiver) -> Iterator[Shop]:  # noqa: F811
    shop = Shop(app, client, people, receiver.url())
    yield shop
    installed(app, Database).sync_engine.dispose()


def test_a_scan_tells_what_has_changed_signed_and_without_code(shop: Shop, receiver: Receiver) -> None:  # noqa: F811
    places = [(f"app/f{number}.py", 1, f"app.f{number}", "execute(f'{x}')") for number in range(NAMED + 5)]
    first = shop.end(*seen(*places))
    again = shop.end(*seen(*places))
    fixed = shop.end()
    back = shop.end(*seen(places[0]))
    failed = shop.end(error="archive-empty")
    shop.work()

    told = verified(receiver, shop.secret)
    by_scan = {
        scan: {each["type"]: each["data"] for each in told if each["data"]["scan_id"] == scan}
        for scan in (first, again, fixed, back, failed)
    }
    assert sorted(by_scan[first]) == ["finding.opened", "gate.changed", "scan.completed"]
    assert list(by_scan[again]) == ["scan.completed"]
    assert sorted(by_scan[fixed]) == ["gate.changed", "scan.completed"]
    assert sorted(by_scan[back]) == ["finding.reopened", "gate.changed", "scan.completed"]
    assert by_scan[failed]["scan.failed"]["error_code"] == "archive-empty"
    opened = by_scan[first]["finding.opened"]
    assert (opened["count"], opened["counts"]) == (NAMED + 5, {"critical": NAMED + 5})
    assert len(opened["findings"]) == NAMED
    gates = [by_scan[scan]["gate.changed"]["verdict"] for scan in (first, fixed, back)]
    assert gates == ["failed", "passed", "failed"]
    for link in (*opened["links"].values(), opened["findings"][0]["link"]):
        assert shop.client.get(link, headers=shop.maintainer).status_code == 200
    assert "execute" not in "".join(each.body.decode() for each in receiver.received)
    with pytest.raises(WebhookVerificationError):
        verified(receiver, "whsec_" + "A" * 43 + "=")


def test_members_read_what_the_result_of_a_scan_does_not_speak_of(shop: Shop) -> None:
    waiting = shop.submit()
    report = {"score": 50, "model": "m", "findings": [], "not_analysed": [{"file": "a.py", "reason": "r"}]}
    with installed(shop.app, Database).sync_sessions.begin() as session:
        bind_worker_setting(session, "app.tenant_id", shop.organisation)
        row = scan_of(session, UUID(waiting))
        assert row is not None
        assert shop.client.get(f"{API}/scans/{waiting}", headers=shop.maintainer).json()["notes"] is None
        seen_root = RootReport("shop", report, proposed=frozenset({"f"}))
        complete(
            session, row, [seen_root, RootReport("legacy", None, error="It is too large.", code="large")]
        )

    told = shop.client.get(f"{API}/scans/{waiting}", headers=shop.maintainer).json()
    assert told["gate"]["passed"] is True
    assert told["notes"] == {
        "new": 0,
        "reopened": 0,
        "fixed": 0,
        "is_outdated": False,
        "not_reviewed": {"legacy": "It is too large."},
        "not_analysed": 1,
        "proposed_ignored": 1,
    }


def test_what_was_rolled_back_is_told_to_nobody(shop: Shop) -> None:
    shop.end(*seen(LIST), commit=False)

    assert shop.messages() == 0


def test_a_scan_that_was_cancelled_before_a_worker_saw_it_is_told_of(
    shop: Shop,
    receiver: Receiver,  # noqa: F811
) -> None:
    scan = shop.submit()
    shop.client.post(f"{API}/scans/{scan}/cancel", headers=shop.maintainer)
    shop.work()

    [told] = verified(receiver, shop.secret)
    assert (told["type"], told["data"]["scan_id"], told["data"]["state"]) == (
        "scan.cancelled",
        scan,
        "cancelled",
    )


# ── decisions ────────────────────────────────────────────────────────────────────────────────────────────────

OTHER = ("app/carts.py", 7, "app.carts", "execute(f'{y}')")


def findings_of(shop: Shop) -> list[dict[str, Any]]:
    listed = f"{API}/projects/{shop.project}/findings"
    found: list[dict[str, Any]] = shop.client.get(
        listed, params={"branch": "a/b"}, headers=shop.maintainer
    ).json()["items"]
    return found


def decide(shop: Shop, finding: Mapping[str, Any], triage: str, **more: str) -> int:
    body = {
        "triage": triage,
        **({} if triage in ("open", "confirmed") else {"reason": "A closed list."}),
        **more,
    }
    headers = shop.maintainer | {"If-Match": f'"{finding["version"]}"'}
    return shop.client.patch(f"{API}/findings/{finding['id']}", json=body, headers=headers).status_code


def decide_all(shop: Shop, triage: str, *findings: Mapping[str, Any]) -> int:
    ids = [each["id"] for each in findings or findings_of(shop)]
    body = {"finding_ids": ids, "triage": triage, "reason": "Reviewed."}
    path = f"{API}/projects/{shop.project}/findings/triage"
    return shop.client.post(path, json=body, headers=shop.maintainer).status_code


def gates_told(shop: Shop) -> list[tuple[str, str]]:
    """What was told of gates, oldest first: cause and verdict."""
    with installed(shop.app, Database).sync_sessions() as session:
        bind_worker_setting(session, "app.tenant_id", shop.organisation)
        told = session.scalars(
            select(WebhookMessage.data)
            .where(WebhookMessage.event_type == "gate.changed")
            .order_by(WebhookMessage.id)
        )
        return [(each["cause"], each["verdict"]) for each in told]


def as_owner(shop: Shop, environment: Mapping[str, str], statement: str) -> None:
    engine = create_engine(environment["DATABASE_OWNER_URL"])
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def expire(shop: Shop) -> None:
    """Look for acceptances that have ended, as a worker does every few minutes."""
    with installed(shop.app, Database).sync_sessions.begin() as session:
        add_event(session, EXPIRE, {})
    shop.work()


def test_decisions_tell_of_a_gate_once_for_each_branch_and_only_where_it_changes(shop: Shop) -> None:
    shop.end(*seen(LIST, OTHER))
    first, second = findings_of(shop)

    assert decide(shop, first, "confirmed") == 200
    assert decide(shop, second, "false_positive") == 200
    assert gates_told(shop) == [("scan", "failed")]
    assert decide_all(shop, "false_positive") == 200
    assert gates_told(shop) == [("scan", "failed"), ("decision", "passed")]
    assert decide_all(shop, "open") == 200
    assert gates_told(shop)[2:] == [("decision", "failed")]
    shop.end(*seen(LIST, OTHER))
    assert len(gates_told(shop)) == 3


def test_what_a_decision_tells_of_a_gate_leads_to_its_branch(shop: Shop, receiver: Receiver) -> None:  # noqa: F811
    scan = shop.end(*seen(LIST))
    decide_all(shop, "false_positive")
    shop.work()

    told = [each["data"] for each in verified(receiver, shop.secret) if each["type"] == "gate.changed"]
    [decided] = [each for each in told if each["cause"] == "decision"]
    assert (decided["verdict"], decided["previous"], decided["closed_by"]) == ("passed", "failed", {})
    assert (decided["branch"], decided["scan_id"]) == ("a/b", scan)
    for link in decided["links"].values():
        assert shop.client.get(link, headers=shop.maintainer).status_code == 200


def test_two_decisions_at_once_tell_of_the_gate_once_and_none_is_lost(shop: Shop) -> None:
    shop.end(*seen(LIST, OTHER))
    for round_, (triage, verdict) in enumerate((("false_positive", "passed"), ("open", "failed")) * 4):
        pair = findings_of(shop)
        begin = threading.Barrier(2)

        def act(finding: dict[str, Any], triage: str = triage, begin: threading.Barrier = begin) -> int:
            begin.wait(30)
            return decide_all(shop, triage, finding)

        with ThreadPoolExecutor(2) as threads:
            assert list(threads.map(act, pair)) == [200, 200]
        told = gates_told(shop)[1:]
        assert (len(told), told[-1]) == (round_ + 1, ("decision", verdict))


def test_the_end_of_an_acceptance_closes_the_gate_and_is_told_once(
    shop: Shop, service_environment: Mapping[str, str]
) -> None:
    shop.end(*seen(LIST))
    [finding] = findings_of(shop)
    in_a_month = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    assert decide(shop, finding, "accepted", expires_at=in_a_month) == 200
    expire(shop)
    assert gates_told(shop)[1:] == [("decision", "passed")]

    as_owner(shop, service_environment, "UPDATE findings SET expires_at = now() WHERE triage = 'accepted'")
    expire(shop)
    expire(shop)

    assert gates_told(shop)[1:] == [("decision", "passed"), ("expiry", "failed")]
    gate = f"{API}/projects/{shop.project}/gate"
    assert shop.client.get(gate, params={"branch": "a/b"}, headers=shop.maintainer).json()["passed"] is False


def test_what_has_ended_and_was_counted_is_not_looked_at_again(
    shop: Shop, service_environment: Mapping[str, str]
) -> None:
    shop.end(*seen(LIST))
    [finding] = findings_of(shop)
    in_a_month = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    decide(shop, finding, "accepted", expires_at=in_a_month)
    as_owner(shop, service_environment, "UPDATE findings SET expires_at = now() WHERE triage = 'accepted'")

    def looked_at() -> int:
        with installed(shop.app, Database).sync_sessions.begin() as session:
            bind_worker_setting(session, "app.tenant_id", shop.organisation)
            return tell_expired(session)

    assert [looked_at() for _ in range(2)] == [1, 0]


def test_a_decision_that_is_refused_tells_nothing(shop: Shop) -> None:
    shop.end(*seen(LIST))
    [finding] = findings_of(shop)

    assert decide(shop, finding | {"version": 7}, "false_positive") == 412
    assert gates_told(shop) == [("scan", "failed")]


def test_a_gate_is_told_of_although_its_scan_was_deleted(
    shop: Shop, service_environment: Mapping[str, str]
) -> None:
    shop.end(*seen(LIST))
    as_owner(shop, service_environment, "DELETE FROM scans")

    assert decide_all(shop, "false_positive") == 200
    assert gates_told(shop)[1:] == [("decision", "passed")]
