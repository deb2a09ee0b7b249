"""One scan after the other, from the archive to the gate, by a real worker process on real servers."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from starlette.websockets import WebSocketDisconnect
from tests.secapi.conftest import Headers, People
from tests.secapi.receiving import reaching, verified
from uuid_utils.compat import uuid7

from fastapi_architect.components.webhooks.tests.conftest import Receiver, receiver  # noqa: F401 - a fixture

API = "/api/v1"
EXAMPLES = Path(__file__).parent.parent.parent / "examples"
#: Of a RabbitMQ that these tests may use alone.
AMQP_URL = os.environ.get("AMQP_URL", "")
ON_RABBITMQ = pytest.mark.skipif(not AMQP_URL, reason="AMQP_URL names no RabbitMQ: it stays untested here")
#: Seconds that a loaded machine may need for a scan.
PATIENCE = 180


def packed(folder: Path) -> bytes:
    """The files of a folder as a ZIP archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                target.write(file, Path(folder.name) / file.relative_to(folder))
    return made.getvalue()


@contextmanager
def processes(environment: Mapping[str, str], *names: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run processes of SecAPI, and end them: each where nothing of another one lies, as on a machine of its own."""
    command = [sys.executable, "-m", "fastapi_architect", "serve"]
    running: list[subprocess.Popen[bytes]] = []
    with ExitStack() as stack:
        for name in names:
            folder = stack.enter_context(TemporaryDirectory(prefix=f"secapi-{name}-"))
            apart = {**os.environ, **environment, "TMPDIR": folder, "HOME": folder}
            running.append(subprocess.Popen([*command, name], env=apart, cwd=folder, start_new_session=True))
        try:
            yield running
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(60)


def eventually(answer: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not holds(found := answer()):
        assert time.monotonic() < deadline, found
        time.sleep(0.3)
    return found


class Submitter:
    """Somebody who submits archives and waits for their scans."""

    def __init__(self, client: TestClient, people: People) -> None:
        self.client = client
        organisation = people.organisation()
        self.maintainer: Headers = people.member(organisation, "maintainer")
        # A day to try again what failed.
        body = {"name": "Bookshop", "keep_failed_archives_hours": 24}
        answer = client.post(f"{API}/projects", json=body, headers=self.maintainer)
        self.project = answer.json()["id"]

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(f"{API}{path}", params=query, headers=self.maintainer)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, content: bytes, **fields: str) -> str:
        upload = str(uuid7())
        answer = self.client.put(
            f"{API}/uploads/{upload}",
            params={"name": "backend.zip"},
            content=content,
            headers=self.maintainer | {"Content-Type": "application/zip"},
        )
        assert answer.status_code == 201, answer.text
        body = {"upload_id": upload, **fields}
        scans = f"{API}/projects/{self.project}/scans"
        answer = self.client.post(scans, json=body, headers=self.maintainer)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def ended(self, scan: str, running: Sequence[subprocess.Popen[bytes]]) -> Any:
        def answer() -> Any:
            assert all(process.poll() is None for process in running)
            return self.get(f"/scans/{scan}")

        return eventually(answer, lambda found: found["state"] not in ("queued", "running"))

    def downloaded(self, scan: str, name: str) -> Any:
        """A report of a scan, which its worker makes."""
        path = f"{API}/scans/{scan}/reports"
        answer = self.client.post(path, json={"format": name}, headers=self.maintainer)
        assert answer.status_code == 202, answer.text
        report = answer.json()["id"]
        eventually(lambda: self.get(f"/reports/{report}"), lambda found: found["state"] != "queued")
        return self.client.get(f"{API}/reports/{report}/content", headers=self.maintainer)


def watched(submitter: Submitter, scan: str) -> list[Any]:
    """What a listener is told of a scan until it has ended."""
    path = f"{API}/scans/{scan}/live"
    found = []
    with (
        suppress(WebSocketDisconnect),
        submitter.client.websocket_connect(path, headers=submitter.maintainer) as socket,
    ):
        while True:
            found.append(socket.receive_json())
    return [each["data"] for each in found if each["type"] == "event"]


@pytest.fixture
def service_environment(
    service_environment: Mapping[str, str],
    receiver: Receiver,  # noqa: F811
) -> Mapping[str, str]:
    """The environment in which webhooks may reach the receiver."""
    return {**service_environment, **reaching(receiver)}


@pytest.fixture
def submitter(client: TestClient, people: People) -> Submitter:
    return Submitter(client, people)


@pytest.mark.parametrize("queue", ["pg", "celery", pytest.param("rabbitmq", marks=ON_RABBITMQ)])
def test_a_vulnerable_backend_closes_the_gate_and_its_repair_opens_it(
    queue: str,
    submitter: Submitter,
    service_environment: Mapping[str, str],
    receiver: Receiver,  # noqa: F811
) -> None:
    environment = {**service_environment, "SECAPI_QUEUE": "pg" if queue == "pg" else "celery"}
    if queue == "rabbitmq":
        environment["CELERY_BROKER_URL"] = AMQP_URL
    endpoint = {"url": receiver.url(), "event_types": ["scan.completed", "gate.changed"]}
    made = submitter.client.post(f"{API}/webhook-endpoints", json=endpoint, headers=submitter.maintainer)
    names = ("worker",) if queue == "pg" else ("worker", "relay")
    with processes(environment, *names) as running:
        first = submitter.ended(submitter.submit(packed(EXAMPLES / "bookshop_vulnerable")), running)
        told = watched(submitter, first["id"])
        closed = submitter.get(f"/projects/{submitter.project}/gate")
        reports = {name: submitter.downloaded(first["id"], name) for name in ("sarif", "html")}
        second = submitter.ended(submitter.submit(packed(EXAMPLES / "bookshop")), running)
        opened = submitter.get(f"/projects/{submitter.project}/gate")
        eventually(lambda: len(receiver.received), lambda count: count >= 4)

    assert (first["state"], first["error"], first["attempts"]) == ("done", None, 1)
    assert first["counts"]["critical"] > 20
    assert closed["passed"] is False
    assert closed["findings"][0]["severity"] == "critical"
    [run] = reports["sarif"].json()["runs"]
    assert len(run["results"]) == sum(first["counts"].values())
    assert {each["baselineState"] for each in run["results"]} == {"new"}
    assert "gate (important and worse) failed" in reports["html"].text
    assert (second["state"], second["score"], second["counts"]) == ("done", 100, {})
    assert opened["passed"] is True
    fixed = submitter.get(f"/projects/{submitter.project}/findings", presence="fixed")["items"]
    assert len(fixed) == 20  # the first page of them
    assert told == submitter.get(f"/scans/{first['id']}/events")
    kinds = [each["kind"] for each in told]
    assert (kinds[0], kinds[-1]) == ("started", "finished")
    # No order is promised between messages; the standard's own library checks who signed them.
    arrived = verified(receiver, made.json()["secret"])
    assert sorted((each["type"], each["data"].get("verdict", "")) for each in arrived) == [
        ("gate.changed", "failed"),
        ("gate.changed", "passed"),
        ("scan.completed", ""),
        ("scan.completed", ""),
    ]
    assert {each["data"]["scan_id"] for each in arrived} == {first["id"], second["id"]}


def test_what_is_no_archive_of_code_fails_with_a_reason_and_blocks_nobody(
    submitter: Submitter, service_environment: Mapping[str, str]
) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("main.py", b"\0" * 50_000_000)
    with processes({**service_environment, "SECAPI_QUEUE": "pg"}, "worker") as running:
        bad = submitter.submit(bomb.getvalue())
        good = submitter.submit(packed(EXAMPLES / "bookshop"))
        found = submitter.ended(bad, running)
        fine = submitter.ended(good, running)

    assert (found["state"], found["error_code"]) == ("failed", "archive-decompression-bomb")
    assert fine["state"] == "done"


def test_a_scan_whose_every_attempt_dies_ends_as_dead_and_can_be_tried_again(
    submitter: Submitter, service_environment: Mapping[str, str]
) -> None:
    scan = submitter.submit(packed(EXAMPLES / "bookshop"))
    # The archive is not to be read when a worker looks.
    owner = create_engine(service_environment["DATABASE_OWNER_URL"])
    with owner.begin() as connection:
        connection.execute(text("UPDATE stored_files SET finished_at = NULL"))
    with processes({**service_environment, "SECAPI_QUEUE": "pg"}, "worker") as running:
        dead = submitter.ended(scan, running)
        with owner.begin() as connection:
            connection.execute(text("UPDATE stored_files SET finished_at = now()"))
        owner.dispose()
        answer = submitter.client.post(f"{API}/scans/{scan}/retry", headers=submitter.maintainer)
        again = submitter.ended(scan, running)

    assert (dead["state"], dead["error_code"], dead["attempts"]) == ("dead", "attempts-exhausted", 3)
    assert answer.status_code == 200
    assert (again["state"], again["score"]) == ("done", 100)
