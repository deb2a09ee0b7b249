"""Results of other tools, from the upload to the gate and the reports: served, read in the sandbox, matched tool by tool."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.report.samples import a_review
from tests.report.test_sarif import VALIDATOR
from tests.secapi.conftest import Headers, People, archive
from tests.secapi.imports.samples import bandit, codeql, log, packed, result, ruff, run, semgrep
from tests.secapi.scans.test_submitting import a_project
from uuid_utils.compat import uuid7

from fastapi_architect.components.database import Database
from fastapi_architect.components.outbox import Outbox
from fastapi_architect.components.service import components_of, installed
from fastapi_architect.report.json import render as as_json
from fastapi_architect.report.sarif import render as as_sarif
from fastapi_architect.secapi.imports.document import Everything
from fastapi_architect.secapi.imports.everything import encoded, read_import
from fastapi_architect.secapi.imports.limits import ImportLimits
from fastapi_architect.secapi.imports.options import ImportKind, ImportOptions
from fastapi_architect.secapi.sandbox import ImportReading
from fastapi_architect.secapi.sandbox.contract import checked_import
from fastapi_architect.secapi.sandbox.job import Walls
from fastapi_architect.secapi.scans import importing

API = "/api/v1"
SCRIPT = "<script>alert(1)</script>"


class Shop:
    """An organisation with a project, and a worker that a test lets work."""

    def __init__(self, app: FastAPI, client: TestClient, people: People) -> None:
        self.app, self.client = app, client
        organisation = people.organisation()
        self.developer: Headers = people.member(organisation, "developer")
        self.project = a_project(client, people, organisation, gate_new_only=False)

    def upload(self, content: bytes, name: str, media_type: str) -> str:
        upload = str(uuid7())
        headers = self.developer | {"Content-Type": media_type}
        answer = self.client.put(
            f"{API}/uploads/{upload}", params={"name": name}, content=content, headers=headers
        )
        assert answer.status_code == 201, answer.text
        return upload

    def post(self, upload: str, kind: str, **fields: Any) -> Any:
        body = {"upload_id": upload, "kind": kind, **fields}
        return self.client.post(f"{API}/projects/{self.project}/scans", json=body, headers=self.developer)

    def scan(self, document: dict[str, Any] | str, kind: str = "sarif", **fields: Any) -> Any:
        """Submit a document, let it be worked on, and return its scan."""
        if isinstance(document, str):
            upload = self.upload(document.encode(), "results.json", "application/json")
        else:
            upload = self.upload(packed(document), "results.sarif.gz", "application/gzip")
        answer = self.post(upload, kind, **fields)
        assert answer.status_code == 202, answer.text
        self.work()
        return self.get(f"/scans/{answer.json()['id']}")

    def work(self) -> None:
        runtime = installed(self.app, Outbox).runtime(components_of(self.app))
        while runtime.handle_next() is not None:
            pass

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(f"{API}{path}", params=query, headers=self.developer)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def findings(self, **query: Any) -> list[Any]:
        found: list[Any] = self.get(f"/projects/{self.project}/findings", limit=100, **query)["items"]
        return found

    def gate(self) -> Any:
        return self.get(f"/projects/{self.project}/gate")

    def report(self, scan: str, report_format: str) -> str:
        asked = self.client.post(
            f"{API}/scans/{scan}/reports", json={"format": report_format}, headers=self.developer
        )
        self.work()
        return self.client.get(f"{API}/reports/{asked.json()['id']}/content", headers=self.developer).text


def read_here(file: Path, kind: ImportKind, options: ImportOptions, **_: Any) -> ImportReading:
    """What the sandbox reads, without its process: that one is tested in `test_sandboxed.py`."""
    found = checked_import(encoded(read_import(file, kind, options, ImportLimits()), 10_000_000))
    assert isinstance(found, Everything)
    return ImportReading(found.imported, Walls())


@pytest.fixture
def without_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "read_untrusted", read_here)


@pytest.fixture
def shop(app: FastAPI, client: TestClient, people: People) -> Iterator[Shop]:
    yield Shop(app, client, people)
    installed(app, Database).sync_engine.dispose()


@pytest.mark.usefixtures("without_process")
def test_each_tool_of_a_file_is_matched_by_itself_and_its_empty_run_closes_what_it_found(shop: Shop) -> None:
    scan = shop.scan(log(codeql(), bandit(), semgrep()), commit="abcdef0")
    by_source = {each["source"]: each for each in shop.findings()}
    closed = shop.gate()
    engine = shop.scan(as_json(a_review()), kind="report")
    only_codeql = shop.scan(log(run("CodeQL", automationDetails={"id": "/language:python/"})))

    assert (scan["state"], scan["kind"], scan["error"]) == ("done", "sarif", None)
    assert scan["sources"] == ["sarif:bandit", "sarif:codeql:language:python", "sarif:semgrep-oss"]
    assert by_source.keys() == set(scan["sources"])
    # Bandit and Semgrep are not sure; CodeQL is, and says how bad it is.
    assert (closed["passed"], closed["counts"], closed["score"]) == (False, {"critical": 1}, None)
    assert (engine["state"], engine["sources"], engine["kind"]) == ("done", ["engine"], "report")
    # Nothing that CodeQL says concerns what the engine found, nor the score that it gave.
    assert {each["source"] for each in shop.findings(presence="fixed")} == {"sarif:codeql:language:python"}
    # What the report says that it suppressed is a proposal, as in an archive.
    assert Counter(each["is_proposed_ignored"] for each in shop.findings(source="engine")) == {
        False: 3,
        True: 1,
    }
    assert (shop.gate()["score"], only_codeql["score"]) == (a_review().score.value, None)
    # And what the engine says next concerns none of theirs.
    shop.scan(json.dumps(json.loads(as_json(a_review())) | {"findings": [], "suppressed": []}), kind="report")
    assert {each["source"] for each in shop.findings()} == {"sarif:bandit", "sarif:semgrep-oss"}
    reopened = shop.scan(log(codeql()))
    [again] = shop.findings(source="sarif:codeql:language:python")
    assert (reopened["gate"]["passed"], again["presence"]) == (False, "reopened")
    assert again["id"] == by_source["sarif:codeql:language:python"]["id"]


@pytest.mark.usefixtures("without_process")
def test_reports_of_imported_results_name_the_tool_and_run_nothing_of_theirs(shop: Shop) -> None:
    hostile = result("=cmd()", text=f"={SCRIPT}", level="error")
    scan = shop.scan(log(run("Tool", hostile), ruff()), checkout_uri="file:///builds/work/shop/shop")
    rows = list(csv.DictReader(io.StringIO(shop.report(scan["id"], "csv"), newline="")))
    page = shop.report(scan["id"], "html")
    exported = json.loads(shop.report(scan["id"], "sarif"))
    whole = json.loads(shop.report(scan["id"], "json"))

    assert {(row["source"], row["file"]) for row in rows} == {
        ("sarif:ruff", "app/main.py"),
        ("sarif:tool", "app/main.py"),
    }
    assert {row["issue"][:2] for row in rows} == {"'=", "`o"}
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "Found by sarif:ruff, sarif:tool" in page
    # They give no score, and nobody makes one up.
    assert "of 100" not in page
    assert "/100" not in page
    assert [each.message for each in VALIDATOR.iter_errors(exported)] == []
    assert [each["tool"]["driver"]["name"] for each in exported["runs"]] == ["ruff", "Tool"]
    assert [each["properties"]["source"] for each in exported["runs"]] == ["sarif:ruff", "sarif:tool"]
    assert [each["source"] for each in whole["roots"]] == ["sarif:ruff", "sarif:tool"]
    # What was exported can be imported, where the same tools find the same again.
    again = shop.scan(exported)
    assert (again["state"], again["counts"]) == ("done", {"important": 4})


@pytest.mark.usefixtures("without_process")
def test_a_suppression_in_a_file_is_a_proposal_and_the_gate_stays_closed(shop: Shop) -> None:
    bad = result(level="error", suppressions=[{"kind": "inSource"}])

    scan = shop.scan(log(run("Tool", bad)))

    [finding] = shop.findings()
    assert finding["is_proposed_ignored"] is True
    assert scan["gate"]["passed"] is False


def test_a_file_that_is_not_taken_says_why_and_changes_nothing(shop: Shop) -> None:
    shop.scan(log(run("Tool", result())))

    old = shop.scan({**log(), "version": "1.0.0"})
    deep = shop.scan('{"version":"2.1.0","x":' + "[" * 50_000 + "]" * 50_000 + "}")

    assert (old["state"], old["error_code"]) == ("failed", "import-sarif-version")
    assert "2.1.0 is what is read" in old["error"]
    assert (deep["state"], deep["error_code"]) == ("failed", "import-nested-too-deeply")
    assert len(shop.findings()) == 1


def test_a_file_that_cannot_be_what_it_is_submitted_as_is_refused_at_once(shop: Shop) -> None:
    zipped = shop.upload(archive(main="x = 1"), "backend.zip", "application/zip")
    results = shop.upload(json.dumps(log(run("T"))).encode(), "t.sarif", "application/sarif+json")

    no_sarif, no_archive = shop.post(zipped, "sarif"), shop.post(results, "archive")
    upwards = shop.post(results, "sarif", root="../other")
    of_archive = shop.post(zipped, "archive", root="api")

    assert (no_sarif.status_code, no_archive.status_code) == (422, 422)
    assert "submit it with kind archive" in no_sarif.json()["detail"]
    assert "submit it with kind sarif or report" in no_archive.json()["detail"]
    assert (upwards.status_code, of_archive.status_code) == (422, 422)
    assert shop.post(results, "sarif").status_code == 202


@pytest.mark.usefixtures("without_process")
def test_our_own_results_come_back_as_they_were(shop: Shop, tmp_path: Path) -> None:
    review = a_review()

    shop.scan(json.loads(as_sarif(review)), root="services/api")

    assert {
        (each["rule"], each["severity"], each["confidence"], each["file"]) for each in shop.findings()
    } == {
        (each.rule.name, each.severity.value, each.confidence.value, each.location.path)
        for each in review.findings
    } | {
        (
            each.finding.rule.name,
            each.finding.severity.value,
            each.finding.confidence.value,
            each.finding.location.path,
        )
        for each in review.suppressed
    }
    assert {each["root"] for each in shop.findings()} == {"services/api"}
