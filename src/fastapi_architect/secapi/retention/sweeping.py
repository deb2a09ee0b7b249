"""What is old, and how it is deleted. So much at a time that no lock lasts; the next hour takes the rest."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from fastapi_architect.components.idempotency import IdempotentAnswer
from fastapi_architect.components.outbox import Priority, add_event
from fastapi_architect.components.uploads import Upload

from ..branches.models import Branch
from ..projects.models import Project
from ..reports.models import Report, ReportContent, ReportState
from ..scans.completing import leave_archive
from ..scans.models import Scan, ScanState
from ..scans.work import ARCHIVE_LEFT

MOST_AT_ONCE = 1_000
#: What was uploaded and has not become a scan by then is forgotten: it only takes its owner's room.
FORGOTTEN_AFTER = timedelta(days=1)
#: For so long somebody who asks for a report is told that its time is over, and not that there is none.
REMEMBERED_FOR = timedelta(days=30)


def sweep_organisation(session: Session) -> dict[str, int]:
    """Delete what is old of one organisation, and return how much of what. The caller commits.

    Args:
        session: bound to the organisation, whose rows are all that it sees.
    """
    return {
        "archives": _leave_kept_archives(session),
        "scans": _delete_scans(session),
        "reports": _expire_reports(session),
    }


def archives_in_use(session: Session) -> set[UUID]:
    """Return the uploads that scans of one organisation still need."""
    return {each for each in session.scalars(select(Scan.upload_id)) if each is not None}


def delete_forgotten_uploads(session: Session, in_use: Collection[UUID]) -> int:
    """Delete what was uploaded long ago and is no scan's, and return how many. The caller commits.

    Args:
        session: of a worker; uploads belong to people, not to organisations.
        in_use: what scans of any organisation still need. One that is submitted at this very moment, a day after its upload,
            finds its archive deleted and ends with that reason.
    """
    old = (
        select(Upload)
        .where(Upload.created_at < func.now() - FORGOTTEN_AFTER, Upload.id.not_in(in_use))
        .order_by(Upload.id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    forgotten = session.scalars(old).all()
    for upload in forgotten:
        add_event(session, ARCHIVE_LEFT, {"storage_key": upload.storage_key}, priority=Priority.LOW)
        session.delete(upload)
    return len(forgotten)


def delete_kept_answers(session: Session) -> None:
    """Delete answers to repeated requests whose time is over. The caller commits."""
    old = (
        select(IdempotentAnswer.place)
        .where(IdempotentAnswer.expires_at <= func.now())
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.place.in_(old)))


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
        .limit(MOST_AT_ONCE)
        # Whoever tries one again at this moment keeps its archive.
        .with_for_update(of=Scan, skip_locked=True)
    )
    return sum([leave_archive(session, scan) for scan in session.scalars(old).all()])


def _expire_reports(session: Session) -> int:
    """Delete the bytes of reports whose time is over, and later also what is known about them."""
    forgotten = (
        select(Report.id)
        .where(Report.expires_at < func.now() - REMEMBERED_FOR)
        .order_by(Report.id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    session.execute(delete(Report).where(Report.id.in_(forgotten)))
    over = (
        select(Report)
        .where(Report.expires_at <= func.now(), Report.state != ReportState.EXPIRED)
        .order_by(Report.id)
        .limit(MOST_AT_ONCE)
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
        .limit(MOST_AT_ONCE)
        .with_for_update(of=Scan, skip_locked=True)
    )
    deleted = session.execute(delete(Scan).where(Scan.id.in_(old)).returning(Scan.id))
    return len(deleted.all())
