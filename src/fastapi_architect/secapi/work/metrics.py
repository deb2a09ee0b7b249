"""The queue, the dead letters and the scans as Prometheus reads them.

Nothing here reads a table that grows with what was scanned: open events by their index, dead letters counted, and a few dozen sums.
"""

import logging
import time
from collections.abc import Iterable, Mapping

from fastapi import FastAPI
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import select

from fastapi_architect.components.database import Database
from fastapi_architect.components.metrics import Metrics
from fastapi_architect.components.outbox import Backlog, Priority, measure
from fastapi_architect.components.service import Component, installed

from .counting import ATTEMPT_SECONDS, ATTEMPTS, BUCKETS, RECLAIMS, SCANS, SECONDS, SECONDS_SUM, Counts
from .models import WorkCounter

logger = logging.getLogger(__name__)

#: Seconds for which an answer is good: however often somebody asks, the database is asked this often.
KEPT = 5.0


class WorkMetrics(Component):
    """Adds the numbers of the work to those of the requests, in each process of the API."""

    def install(self, app: FastAPI) -> None:
        """Register them."""
        installed(app, Metrics).registry.register(WorkCollector(installed(app, Database)))


class WorkCollector(Collector):
    """Asks the database when Prometheus asks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked = float("-inf")
        self._answer: list[Metric] = []

    def describe(self) -> Iterable[Metric]:
        """Say nothing before somebody asks: registering asks no database."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Return the numbers; without the database only that it does not answer."""
        if time.monotonic() - self._asked >= KEPT:
            self._answer, self._asked = self._look(), time.monotonic()
        return self._answer

    def _look(self) -> list[Metric]:
        answers = GaugeMetricFamily("secapi_database_up", "Whether the database answers.", value=1)
        try:
            with self._database.sync_sessions.begin() as session:
                backlog = measure(session)
                counts = {(row.name, row.label): row.value for row in session.scalars(select(WorkCounter))}
        except Exception:  # the other numbers are still good
            logger.warning("the numbers of the work cannot be read", exc_info=True)
            return [GaugeMetricFamily("secapi_database_up", "Whether the database answers.", value=0)]
        return [answers, *_of_queue(backlog), *_of_attempts(counts), *_of_scans(counts)]


def _of_queue(backlog: Backlog) -> list[Metric]:
    depth = GaugeMetricFamily(
        "secapi_queue_depth", "Work that is neither done nor given up.", labels=["priority"]
    )
    due = GaugeMetricFamily("secapi_queue_due", "Work that could be begun now.", labels=["priority"])
    oldest = GaugeMetricFamily(
        "secapi_queue_oldest_seconds", "How long the oldest due work has waited.", labels=["priority"]
    )
    for priority in Priority:
        found = backlog.by_priority.get(priority, (0, 0, 0.0))
        for family, value in zip((depth, due, oldest), found, strict=True):
            family.add_metric([priority.name.lower()], value)
    return [
        depth,
        due,
        oldest,
        GaugeMetricFamily("secapi_outbox_lag_seconds", "How far the workers are behind.", value=backlog.lag),
        GaugeMetricFamily("secapi_dead_letters", "Work that was given up.", value=backlog.dead),
    ]


def _of_attempts(counts: Counts) -> list[Metric]:
    attempts = CounterMetricFamily("secapi_attempts", "Attempts at work.", labels=["topic", "outcome"])
    seconds = CounterMetricFamily("secapi_attempt_seconds", "Seconds that attempts took.", labels=["topic"])
    reclaims = CounterMetricFamily(
        "secapi_lease_reclaims", "Attempts after one whose worker had died.", labels=["topic"]
    )
    for (name, label), value in sorted(counts.items()):
        if name == ATTEMPTS:
            attempts.add_metric(label.split(" ", 1), value)
        elif name == ATTEMPT_SECONDS:
            seconds.add_metric([label], value)
        elif name == RECLAIMS:
            reclaims.add_metric([label], value)
    return [attempts, seconds, reclaims]


def _of_scans(counts: Counts) -> list[Metric]:
    scans = CounterMetricFamily("secapi_scans", "Scans that have ended.", labels=["state"])
    for (name, label), value in sorted(counts.items()):
        if name == SCANS:
            scans.add_metric([label], value)
    seconds = HistogramMetricFamily(
        "secapi_scan_seconds",
        "Time from the submission of a scan to its end.",
        buckets=_cumulative({label: value for (name, label), value in counts.items() if name == SECONDS}),
        sum_value=counts.get((SECONDS_SUM, ""), 0.0),
    )
    return [scans, seconds]


def _cumulative(found: Mapping[str, float]) -> list[tuple[str, float]]:
    total, buckets = 0.0, []
    for bound in (*map(str, BUCKETS), "+Inf"):
        total += found.get(bound, 0.0)
        buckets.append((bound, total))
    return buckets
