"""Short transactions in which a worker moves a scan on. No transaction is open while an archive is read or reviewed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from fastapi_architect.components.database import Database, bind_worker_setting

from ..membership import TENANT
from .completing import end, note, scan_of
from .models import Scan, ScanState
from .work import Work


@contextmanager
def bound(database: Database, work: Work) -> Iterator[Session]:
    """Give a session of the organisation, and commit at the end."""
    with database.sync_sessions.begin() as session:
        bind_worker_setting(session, TENANT, work.tenant_id)
        yield session


def current(session: Session, work: Work) -> Scan | None:
    """Return the scan, locked, if this work still belongs to it; None: it ended, was begun anew, or was deleted."""
    scan = scan_of(session, work.scan_id)
    if scan is None or scan.run != work.run or ScanState(scan.state).is_final:
        return None
    return scan


def begin(session: Session, work: Work, attempt: int) -> Scan | None:
    """Note that an attempt begins; None: there is nothing to do any more.

    Args:
        session: of the organisation.
        work: on the scan.
        attempt: from 1.
    """
    scan = current(session, work)
    if scan is None:
        return None
    if scan.cancel_requested_at is not None:
        end(session, scan, ScanState.CANCELLED)
        return None
    now: Any = func.now()
    if scan.started_at is None:
        scan.started_at = now
    scan.state, scan.attempts = ScanState.RUNNING, max(scan.attempts, attempt)
    note(session, scan, "started", {"attempt": attempt})
    return scan


def give_up(session: Session, work: Work, state: ScanState, code: str, why: str) -> None:
    """End a scan that cannot be reviewed, unless it has ended or was begun anew."""
    scan = current(session, work)
    if scan is not None:
        end(session, scan, state, code, why)


class Listener:
    """What the sandbox is given to call, several times a second: it asks and tells the database now and then.

    Args:
        database: of the worker.
        work: on the scan.
    """

    #: Seconds between two questions, and between two notes about the same stage.
    ASKS_EVERY, TELLS_EVERY = 1.0, 2.0

    def __init__(self, database: Database, work: Work) -> None:
        self._database = database
        self._work = work
        self._asked = self._told = float("-inf")
        self._answer = False
        self._stage = ""

    def is_cancelled(self) -> bool:
        """Tell whether nobody wants the result any more."""
        now = time.monotonic()
        if not self._answer and now - self._asked >= self.ASKS_EVERY:
            self._asked = now
            with bound(self._database, self._work) as session:
                scan = session.get(Scan, self._work.scan_id)
                self._answer = (
                    scan is None or scan.run != self._work.run or scan.cancel_requested_at is not None
                )
        return self._answer

    def tell(self, root: str, stage: str, done: int, total: int) -> None:
        """Note how far the review of an application root is."""
        now = time.monotonic()
        if stage == self._stage and now - self._told < self.TELLS_EVERY:
            return
        self._stage, self._told = stage, now
        with bound(self._database, self._work) as session:
            scan = current(session, self._work)
            if scan is not None:
                note(session, scan, "root", {"root": root, "stage": stage, "done": done, "of": total})
