"""What takes long and what is short wait in queues of their own, and nothing is ended before it could say why."""

import pytest
from celery import Celery

from fastapi_architect.components.celery_tasks import CeleryTasks, create_worker
from fastapi_architect.components.outbox import Outbox
from fastapi_architect.components.outbox.handlers import all_handlers
from fastapi_architect.components.service import component_in
from fastapi_architect.secapi import serve
from fastapi_architect.secapi.queues import DEFAULT, QUEUES, REPORTS, SCANS
from fastapi_architect.secapi.registry import components
from fastapi_architect.secapi.settings import SecApiSettings


@pytest.fixture
def worker(service_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Celery:
    for name, value in service_environment.items():
        monkeypatch.setenv(name, value)
    return create_worker(components())


def test_reviews_and_reports_keep_nothing_short_waiting(worker: Celery) -> None:
    queue_of = {
        handler.topic: handler.queue
        for handler in all_handlers()
        if handler.name.startswith("fastapi_architect.secapi.")
    }

    long = {topic for topic, queue in queue_of.items() if queue != DEFAULT}
    assert {topic for topic in long if queue_of[topic] == SCANS} == {
        *(f"scans.requested.{each}" for each in ("high", "normal", "low")),
        *(f"scans.root.{each}" for each in ("high", "normal", "low")),
    }
    assert {topic for topic in long if queue_of[topic] == REPORTS} == {"reports.requested"}
    assert {"scans.reviewed", "scans.reap"} <= queue_of.keys() - long
    assert set(worker.conf.task_queues) == set(QUEUES)


@pytest.mark.parametrize("seconds", [10, 900, 12 * 3600])
def test_a_worker_waits_longer_than_a_scan_may_take(
    service_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    for name, value in {**service_environment, "SECAPI_SCAN_SECONDS": str(seconds)}.items():
        monkeypatch.setenv(name, value)
    parts = components()
    celery, outbox = component_in(parts, CeleryTasks).settings, component_in(parts, Outbox).settings

    # Else it is killed three times in place of failing once, with a reason; or a second worker begins beside the first.
    assert SecApiSettings().attempt_seconds >= seconds + 120  # which opening the archive may take
    assert min(celery.soft_time_limit, celery.time_limit, outbox.time_limit) >= seconds + 120


@pytest.mark.parametrize("names", ["scan", "scans,", "scans,bulk"])
def test_a_kind_of_work_that_is_none_is_refused_by_name(
    names: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        serve.run(["worker", "--queues", names])

    assert ended.value.code == 2
    assert "there are default, reports, scans" in capsys.readouterr().err
