"""What endpoints are told when scans end: signed, small, once for each change, and only if the scan really ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session
from standardwebhooks import WebhookVerificationError
from tests.secapi.conftest import People, archive
from tests.secapi.findings.test_matching import LIST, seen
from tests.secapi.receiving import reaching, verified
from tests.secapi.scans.test_submitting import a_project, upload

from fastapi_architect.components.database import Database, bind_worker_setting
from fastapi_architect.components.outbox import Outbox
from fastapi_architect.components.service import components_of, installed
from fastapi_architect.components.webhooks import WebhookMessage, Webhooks
from fastapi_architect.components.webhooks.tests.conftest import Receiver, receiver  # noqa: F401 - a fixture
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
