"""Counting in the database: workers come and go, and what each of them counted by itself would go with it."""

from collections.abc import Mapping

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fastapi_architect.components.database import Database
from fastapi_architect.components.outbox import Ended

from .models import WorkCounter

#: Seconds from the submission of a scan to its end; the upper bounds of a histogram.
BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
SECONDS, SECONDS_SUM, SCANS = "scan_seconds_bucket", "scan_seconds_sum", "scans"
ATTEMPTS, ATTEMPT_SECONDS, RECLAIMS = "attempts", "attempt_seconds", "lease_reclaims"
Counts = Mapping[tuple[str, str], float]


def count(session: Session, counts: Counts) -> None:
    """Add to counters, in the transaction of the session.

    Always in the same order: two transactions that count the same things must not wait for each other in a circle.
    """
    rows = [{"name": name, "label": label, "value": value} for (name, label), value in sorted(counts.items())]
    statement = insert(WorkCounter).values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["name", "label"],
            set_={"value": WorkCounter.value + statement.excluded.value},
        )
    )


def counts_of_scan(state: str, seconds: float) -> Counts:
    """Return what the end of a scan adds."""
    bound = next((str(each) for each in BUCKETS if seconds <= each), "+Inf")
    return {(SCANS, state): 1, (SECONDS, bound): 1, (SECONDS_SUM, ""): seconds}


class AttemptCounter:
    """Told by the outbox of every attempt at a piece of work.

    Args:
        database: of the worker.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, ended: Ended) -> None:
        """Count an attempt, in a transaction of its own: it also counts where the attempt's was rolled back."""
        counts = {
            (ATTEMPTS, f"{ended.topic} {ended.outcome}"): 1.0,
            (ATTEMPT_SECONDS, ended.topic): ended.seconds,
        }
        if ended.was_reclaimed:
            counts[RECLAIMS, ended.topic] = 1.0
        with self._database.sync_sessions.begin() as session:
            count(session, counts)
