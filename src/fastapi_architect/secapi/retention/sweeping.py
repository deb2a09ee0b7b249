"""What is old, and how it is deleted. So much at a time that no lock lasts, and so often; the next hour takes the rest."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fastapi_architect.components.idempotency import IdempotentAnswer
from fastapi_architect.components.outbox import Priority, add_event
from fastapi_architect.components.uploads import Upload

from ..branches.models import Branch
from ..projects.models import Project
from ..reports.models import Report, ReportContent, ReportState
from ..scans.completing import leave_archive
from ..scans.migrations import HELD_UPLOAD
from ..scans.models import Scan, ScanState
from ..scans.work import ARCHIVE_LEFT

#: Rows of one transaction. A scan brings the reports of all its application roots along.
BATCH = 100
#: Transactions of one kind in an hour.
BATCHES = 50
#: What was uploaded and has not become a scan by then is forgotten: it only takes its owner's room.
FORGOTTEN_AFTER = timedelta(days=1)
#: For so long somebody who asks for a report is told that its time is over, and not that there is none.
REMEMBERED_FOR = timedelta(days=30)

Transaction = Callable[[], AbstractContextManager[Session]]
#: Deletes at most `BATCH` of a kind, and returns how many.
Step = Callable[[Session], int]


def in_batches(transaction: Transaction, step: Step) -> int:
    """Take a step until nothing is left for it, each time in a transaction of its own, and return how much it was."""
    total = 0
    for _ in range(BATCHES):
        with transaction() as session:
            done = step(session)
        total += done
        if done < BATCH:
            break
    return total


def archives_in_use(session: Session) -> set[UUID]:
    """Return the uploads that scans of one organisation still need."""
    return {
        each for each in session.scalars(select(Scan.upload_id).where(Scan.upload_id.is_not(None))) if each
    }


def delete_forgotten_uploads(session: Session, in_use: Collection[UUID]) -> int:
    """Delete what was uploaded long ago and is no scan's, and return how many. The caller commits.

    A submission locks its upload: one that is under way is passed over here, and one that comes now waits and finds nothing. One
    that was committed after `in_use` was read is seen by PostgreSQL, whose foreign key holds its upload.

    Args:
        session: of a worker; uploads belong to people, not to organisations.
        in_use: what scans of any organisation still need, as far as it is known.
    """
    session.execute(text(f"SET CONSTRAINTS {HELD_UPLOAD} IMMEDIATE"))
    old = (
        select(Upload)
        .where(Upload.created_at < func.now() - FORGOTTEN_AFTER, Upload.id.not_in(in_use))
        .order_by(Upload.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    deleted = 0
    for upload in session.scalars(old).all():
        with suppress(IntegrityError), session.begin_nested():
            add_event(session, ARCHIVE_LEFT, {"storage_key": upload.storage_key}, priority=Priority.LOW)
            session.delete(upload)
            session.flush()
            deleted += 1
    return deleted


def delete_kept_answers(session: Session) -> int:
    """Delete answers to repeated requests whose time is over, and return how many. The caller commits."""
    old = (
        select(IdempotentAnswer.place)
        .where(IdempotentAnswer.expires_at <= func.now())
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    deleted = delete(IdempotentAnswer).where(IdempotentAnswer.place.in_(old))
    return len(session.execute(deleted.returning(IdempotentAnswer.place)).all())


def _leave_kept_archives(session: Session) -> int:
    """Let archives go that were kept for another try of a scan that failed or died."""
    hours = func.make_interval(0, 0, 0, 0, Project.keep_failed_archives_hours)
    old = (
        select(Scan)
        .join(Project, Project.id == Scan.project_id)
        .where(
            Scan.upload_id.is_not(None),
            Scan.state.in_([ScanState.FAILED, ScanState.DEAD]),
            Scan.finished_at < func.now() - hours,
        )
        .order_by(Scan.id)
        .limit(BATCH)
        # Whoever tries one again at this moment keeps its archive.
        .with_for_update(of=Scan, skip_locked=True)
    )
    return sum([leave_archive(session, scan) for scan in session.scalars(old).all()])


def _forget_reports(session: Session) -> int:
    """Delete what is known about reports whose time was over long ago."""
    forgotten = (
        select(Report.id)
        .where(Report.expires_at < func.now() - REMEMBERED_FOR)
        .order_by(Report.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    return len(session.execute(delete(Report).where(Report.id.in_(forgotten)).returning(Report.id)).all())


def _expire_reports(session: Session) -> int:
    """Delete the bytes of reports whose time is over."""
    over = (
        select(Report)
        .where(Report.expires_at <= func.now(), Report.state != ReportState.EXPIRED)
        .order_by(Report.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    expired = session.scalars(over).all()
    session.execute(delete(ReportContent).where(ReportContent.report_id.in_([each.id for each in expired])))
    for each in expired:
        each.state = ReportState.EXPIRED
    return len(expired)


def _delete_scans(session: Session) -> int:
    """Delete scans with their progress and reports; not the one by which a branch is judged, and no finding."""
    days = func.make_interval(0, 0, 0, Project.keep_scans_days)
    newest = select(Branch.scan_id).where(Branch.scan_id == Scan.id).exists()
    old = (
        select(Scan.id)
        .join(Project, Project.id == Scan.project_id)
        .where(Scan.finished_at < func.now() - days, Scan.upload_id.is_(None), ~newest)
        .order_by(Scan.id)
        .limit(BATCH)
        .with_for_update(of=Scan, skip_locked=True)
    )
    deleted = session.execute(delete(Scan).where(Scan.id.in_(old)).returning(Scan.id))
    return len(deleted.all())


#: What is swept of an organisation, by the name under which its log says how much it was.
STEPS: Mapping[str, Step] = MappingProxyType(
    {
        "archives": _leave_kept_archives,
        "scans": _delete_scans,
        "forgotten_reports": _forget_reports,
        "reports": _expire_reports,
    }
)
