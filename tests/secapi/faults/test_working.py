"""What a scan comes to when its workers die, sleep, wake, run out of disk, or are told twice."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.secapi.faults.conftest import Submitter, Worker

from fastapi_architect.components.outbox import repository
from fastapi_architect.components.outbox.execution import Outcome
from fastapi_architect.secapi.scans import working

APPLICATION = "from fastapi import FastAPI\napp = FastAPI()\n"
SERVICES = {f"service_{number}/main.py": APPLICATION for number in range(3)} | {
    f"service_{number}/requirements.txt": "fastapi\n" for number in range(3)
}


def sleeps_once(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    """Let the first review last longer than its lease, while others go on."""
    review = working._review
    asleep = [meanwhile]

    def reviewed(*arguments: Any) -> Any:
        result = review(*arguments)
        if asleep:
            asleep.pop()()
        return result

    monkeypatch.setattr(working, "_review", reviewed)


@pytest.mark.usefixtures("quick_review")
def test_a_worker_that_wakes_after_its_lease_changes_nothing(
    submitter: Submitter, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan, task = submitter.submit()

    def meanwhile() -> None:
        worker.let_leases_end()
        assert worker.runtime.handle(task) is Outcome.DONE

    sleeps_once(monkeypatch, meanwhile)

    assert worker.runtime.handle(task) is Outcome.LOST
    assert (submitter.scan(scan)["state"], submitter.scan(scan)["attempts"]) == ("done", 2)
    kinds = [row.kind for row in worker.rows("SELECT kind FROM scan_events ORDER BY id")]
    assert kinds.count("finished") == 1
    assert worker.rows("SELECT count(*) FROM finding_events")[0][0] == 1


@pytest.mark.usefixtures("quick_review")
def test_a_root_that_is_reviewed_by_a_worker_that_wakes_too_late_is_counted_once(
    submitter: Submitter, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan, task = submitter.submit(SERVICES)
    assert worker.runtime.handle(task) is Outcome.DONE
    [first, *_] = worker.rows(
        "SELECT id FROM outbox_events WHERE processed_at IS NULL AND topic LIKE 'scans.root%' ORDER BY id"
    )

    def meanwhile() -> None:
        worker.rows(
            "UPDATE outbox_events SET held_until = now() - interval '1 second' WHERE id = :id", id=first.id
        )
        assert worker.runtime.handle(first.id) is Outcome.DONE

    sleeps_once(monkeypatch, meanwhile)
    assert worker.runtime.handle(first.id) is Outcome.LOST
    half_way = submitter.scan(scan)
    worker.work()

    assert (half_way["state"], half_way["roots"], half_way["roots_done"]) == ("running", 3, 1)
    done = submitter.scan(scan)
    assert (done["state"], done["roots_done"], done["counts"]) == ("done", 3, {"critical": 3})


@pytest.mark.usefixtures("quick_review")
def test_a_message_that_is_delivered_four_times_at_once_is_one_result(
    submitter: Submitter, worker: Worker
) -> None:
    scan, task = submitter.submit()

    with ThreadPoolExecutor(4) as workers:
        outcomes = list(workers.map(lambda _: worker.runtime.handle(task), range(4)))

    assert sorted(outcomes) == ["done", "skipped", "skipped", "skipped"]
    assert submitter.scan(scan)["attempts"] == 1
    assert worker.rows("SELECT count(*) FROM finding_events")[0][0] == 1


def test_a_worker_whose_clock_jumps_takes_nothing_that_another_one_holds(
    submitter: Submitter, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, task = submitter.submit()
    with worker.runtime.sessions.begin() as session:
        assert repository.claim(session, task, worker.runtime.lease) is not None
    now, steady = time.time, time.monotonic

    for jump in (86_400, -86_400):
        monkeypatch.setattr(time, "time", lambda jump=jump: now() + jump)
        monkeypatch.setattr(time, "monotonic", lambda jump=jump: steady() + max(jump, 0))

        assert worker.runtime.handle(task) is Outcome.SKIPPED


def test_a_worker_without_room_on_its_disk_tries_again_says_why_and_leaves_nothing(
    submitter: Submitter, worker: Worker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scan, task = submitter.submit({"main.py": APPLICATION, "data.py": f"x = {'1' * 20_000!r}\n"})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    outcomes = []
    for _ in range(3):
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            outcomes.append(worker.runtime.handle(task))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        worker.let_leases_end()
    worker.rows("INSERT INTO outbox_schedule (name, slot) VALUES ('scans.reap', 0)")
    working_on = worker.rows("SELECT last_error FROM outbox_events WHERE id = :id", id=task)

    assert outcomes == ["retrying", "retrying", "dead"]
    assert "File too large" in working_on[0].last_error
    assert list((tmp_path / "fastapi-architect").iterdir()) == []
    assert submitter.scan(scan)["state"] == "running"  # until the reaper comes


@pytest.mark.usefixtures("quick_review")
def test_an_archive_that_is_not_what_was_uploaded_is_not_reviewed(
    submitter: Submitter, worker: Worker
) -> None:
    scan, task = submitter.submit()
    spoil = "UPDATE stored_chunks SET data = set_byte(data, 20, (get_byte(data, 20) + 1) % 256)"
    worker.rows(spoil)

    assert worker.runtime.handle(task) is Outcome.RETRYING
    [(why,)] = worker.rows("SELECT last_error FROM outbox_events WHERE id = :id", id=task)
    assert "its digest is another one" in why
    assert submitter.scan(scan)["state"] == "running"
