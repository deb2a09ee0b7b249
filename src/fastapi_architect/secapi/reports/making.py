"""What a worker does with a report: reads what it is made of, makes it, and keeps its bytes."""

import hashlib
import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fastapi_architect.components.database import Database, bind_worker_setting

from ..membership import TENANT
from ..scans.models import Scan, ScanState
from ..settings import SecApiSettings
from .material import Material, gather
from .models import Report, ReportContent, ReportFormat, ReportState
from .rendering import NotRendered, render


@dataclass(frozen=True, slots=True)
class _Open:
    """A report that is to be made, and of what."""

    format: ReportFormat
    material: Material


def make_report(
    database: Database, session: Session, tenant_id: UUID, report_id: UUID, settings: SecApiSettings
) -> None:
    """Make a report, unless it is made, or nobody wants it any more.

    Args:
        database: of the worker; no transaction is open while the report is rendered.
        session: its transaction ends the task.
        tenant_id: whose report.
        report_id: which.
        settings: how large it may be, and for how long it is kept.
    """
    found = _begin(database, tenant_id, report_id)
    if found is None:
        return
    made = _rendered(found, settings)
    bind_worker_setting(session, TENANT, tenant_id)
    report = queued_report(session, report_id)
    if report is None:
        return
    if isinstance(made, NotRendered):
        fail(report, made.code, made.message, settings)
        return
    _end(report, ReportState.READY, settings)
    report.size, report.sha256 = len(made), hashlib.sha256(made).hexdigest()
    session.add(
        ReportContent(tenant_id=tenant_id, report_id=report_id, compressed=zlib.compress(made, level=6))
    )


def _rendered(found: _Open, settings: SecApiSettings) -> bytes | NotRendered:
    try:
        return render(found.material, found.format, settings.report_bytes)
    except NotRendered as refusal:
        return refusal


def queued_report(session: Session, report_id: UUID) -> Report | None:
    """Return a report that waits, locked; None: it has ended, or was deleted.

    Args:
        session: bound to the organisation.
        report_id: which.
    """
    statement = (
        select(Report)
        .where(Report.id == report_id, Report.state == ReportState.QUEUED)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalars(statement).one_or_none()


def fail(report: Report, code: str, why: str, settings: SecApiSettings) -> None:
    """End a report that cannot be made. The caller commits.

    Args:
        report: locked.
        code: a stable word.
        why: a sentence for those who asked for it.
        settings: for how long that is told.
    """
    _end(report, ReportState.FAILED, settings)
    report.error_code, report.error = code, why


def _begin(database: Database, tenant_id: UUID, report_id: UUID) -> _Open | None:
    with database.sync_sessions.begin() as session:
        bind_worker_setting(session, TENANT, tenant_id)
        report = session.get(Report, report_id)
        if report is None or report.state != ReportState.QUEUED:
            return None
        scan = session.get(Scan, report.scan_id)
        # A scan that is done is never begun anew; one that was deleted has taken its reports with it.
        if scan is None or scan.state != ScanState.DONE:
            return None
        return _Open(ReportFormat(report.format), gather(session, scan))


def _end(report: Report, state: ReportState, settings: SecApiSettings) -> None:
    now: Any = func.now()
    report.state, report.finished_at = state, now
    report.expires_at = now + timedelta(days=settings.report_days)
