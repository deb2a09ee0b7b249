"""A worker in this process, whose every step a test may disturb."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine, text
from tests.secapi.conftest import Headers, People
from uuid_utils.compat import uuid7

from fastapi_architect.components.database import Database
from fastapi_architect.components.outbox import Outbox
from fastapi_architect.components.outbox.execution import Outcome, Runtime
from fastapi_architect.components.service import component_in
from fastapi_architect.findings.fingerprint import Place, fingerprints
from fastapi_architect.secapi.registry import components
from fastapi_architect.secapi.scans import working
from fastapi_architect.secapi.scans.completing import RootReport

API = "/api/v1"
FINDING: dict[str, Any] = {
    "file": "main.py",
    "line": 3,
    "rule": "sql-injection-raw-statement",
    "title": "t",
    "category": "security",
    "severity": "critical",
    "confidence": "certain",
    "cwe": "CWE-89",
    "cvss_score": 9.8,
}


def packed(files: Mapping[str, str]) -> bytes:
    """A ZIP archive of these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return made.getvalue()


class Submitter:
    """Somebody of an organisation who submits archives."""

    def __init__(self, client: TestClient, people: People) -> None:
        self.client = client
        self.caller: Headers = people.member(people.organisation(), "maintainer")
        answer = client.post(f"{API}/projects", json={"name": "Shop"}, headers=self.caller)
        self.project = str(answer.json()["id"])

    def upload(self, files: Mapping[str, str] | None = None) -> str:
        upload = str(uuid7())
        answer = self.client.put(
            f"{API}/uploads/{upload}",
            params={"name": "backend.zip"},
            content=packed(files or {"main.py": "app = FastAPI()\n"}),
            headers=self.caller | {"Content-Type": "application/zip"},
        )
        assert answer.status_code == 201, answer.text
        return upload

    def post(self, upload: str, **headers: str) -> Any:
        scans = f"{API}/projects/{self.project}/scans"
        return self.client.post(scans, json={"upload_id": upload}, headers=self.caller | headers)

    def submit(self, files: Mapping[str, str] | None = None) -> tuple[str, UUID]:
        """Submit an archive; return its scan and its task."""
        answer = self.post(self.upload(files))
        assert answer.status_code == 202, answer.text
        return answer.json()["id"], UUID(answer.json()["task_id"])

    def scan(self, scan_id: str) -> Any:
        return self.client.get(f"{API}/scans/{scan_id}", headers=self.caller).json()


@pytest.fixture
def submitter(client: TestClient, people: People) -> Submitter:
    return Submitter(client, people)


class Worker:
    """Does the work of a worker process, one event after the other, when a test says so."""

    def __init__(self, runtime: Runtime, owner: Engine) -> None:
        self.runtime = runtime
        self._owner = owner

    def rows(self, statement: str, **values: Any) -> Sequence[Any]:
        """Ask or tell the database as the owner of the tables, of whom nothing is hidden."""
        with self._owner.begin() as connection:
            result = connection.execute(text(statement), values)
            return result.all() if result.returns_rows else []

    def let_leases_end(self) -> None:
        """Let so much time pass that nobody holds anything, and every pause is over."""
        self.rows(
            "UPDATE outbox_events SET held_until = now() - interval '1 second', publish_at = now()"
            " WHERE processed_at IS NULL AND dead_at IS NULL"
        )

    def work(self) -> list[Outcome]:
        """Handle what there is until nothing is left."""
        outcomes: list[Outcome] = []
        while (outcome := self.runtime.handle_next()) is not None:
            outcomes.append(outcome)
        return outcomes


@pytest.fixture
def worker(submitter: Submitter, service_environment: Mapping[str, str]) -> Iterator[Worker]:
    """A worker beside the API; the environment is the application's."""
    parts = components()
    owner = create_engine(service_environment["DATABASE_OWNER_URL"])
    yield Worker(component_in(parts, Outbox).runtime(parts), owner)
    component_in(parts, Database).sync_engine.dispose()
    owner.dispose()


@pytest.fixture
def quick_review(monkeypatch: pytest.MonkeyPatch) -> None:
    """One finding in each root, without the sandbox: what is looked at here is what becomes of a result."""

    def review(_context: Any, _work: Any, _unpacked: Any, root: Any) -> RootReport:
        [print_] = fingerprints(
            [Place(FINDING["rule"], "main.py", 3, "main.read", f"execute({root.path!r})")]
        )
        finding = FINDING | {"fingerprint": print_}
        report = {"score": 50, "findings": [finding], "model": "1", "not_analysed": []}
        return RootReport(root.path, report)

    monkeypatch.setattr(working, "_review", review)
