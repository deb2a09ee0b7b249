"""What may happen to reports in requests. What workers do with them stands in `making.py`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from fastapi_architect.components.audit_log import record
from fastapi_architect.components.database import Slice
from fastapi_architect.components.idempotency import IdempotentRequest, perform_once
from fastapi_architect.components.outbox import Priority, add_event
from fastapi_architect.components.problem_details import Conflict, Gone, TooManyRequests

from ..membership import Member
from ..scans.models import ScanState
from .models import Report, ReportFormat, ReportState
from .repository import ReportRepository, Wish
from .schemas import NewReport, PublishedReport, ReportQuery
from .work import REQUESTED

_PUBLISHED = TypeAdapter(PublishedReport)
#: For so long a report answers for the next one that is asked for, if nothing was found or decided meanwhile.
SAME_FOR = timedelta(hours=1)
#: Seconds after which to look again for a report that is being made.
LOOK_AGAIN = "2"


@dataclass(frozen=True, slots=True)
class Content:
    """A report to download.

    Attributes:
        name: of the file.
        format: as what it is read.
        size: bytes, when it is taken out of `compressed`.
        compressed: by zlib.
        sha256: of what is taken out.
    """

    name: str
    format: ReportFormat
    size: int
    compressed: bytes
    sha256: str


class ReportService:
    """Asks for, reads, hands out and deletes the reports of one organisation."""

    def __init__(self, session: AsyncSession, member: Member, *, open_reports: int) -> None:
        self._session = session
        self._member = member
        self._open_reports = open_reports
        self._reports = ReportRepository(session, member.tenant_id)

    async def create(
        self, scan_id: UUID, new: NewReport, request: IdempotentRequest | None
    ) -> PublishedReport:
        """Ask for a report; a worker makes it.

        Args:
            scan_id: of the organisation.
            new: which report.
            request: repeated ones get the first one's answer.

        Raises:
            NotFound: the organisation has no such scan.
            Conflict: the scan is not done.
            TooManyRequests: so many reports of the organisation wait.
        """

        async def work() -> PublishedReport:
            wish = await self._reports.wish(scan_id)
            if wish.scan.state != ScanState.DONE:
                raise Conflict(f"Only a scan that is done has reports; this one is {wish.scan.state}.")
            now = await self._reports.now()
            same = await self._reports.same(wish, new.format, now - SAME_FOR)
            report = same or await self._add(wish, new.format)
            return _published(report, now)

        return await perform_once(self._session, request, _PUBLISHED, work)

    async def list(self, scan_id: UUID, query: ReportQuery) -> Slice[PublishedReport]:
        """Return a page of a scan's reports.

        Raises:
            NotFound: there is no such scan, or it is another organisation's.
            InvalidInput: the cursor is not one of this list in this order.
        """
        await self._reports.wish(scan_id)
        found = await ReportRepository(self._session, self._member.tenant_id, scan_id).list(query)
        now = await self._reports.now()
        return Slice([_published(each, now) for each in found.items], found.next_cursor)

    async def read(self, report_id: UUID) -> PublishedReport:
        """Return a report: where it stands.

        Raises:
            NotFound: there is none, or it is another organisation's.
        """
        return _published(await self._reports.get(report_id), await self._reports.now())

    async def content(self, report_id: UUID) -> Content:
        """Return the bytes of a report.

        Raises:
            NotFound: there is none, or it is another organisation's.
            Conflict: it is being made, or cannot be.
            Gone: its time is over.
        """
        report = await self._reports.get(report_id)
        state = _state(report, await self._reports.now())
        if state is ReportState.QUEUED:
            raise Conflict("The report is being made; ask again.", headers={"Retry-After": LOOK_AGAIN})
        if state is ReportState.FAILED:
            raise Conflict(f"The report could not be made. {report.error}")
        compressed = None if state is ReportState.EXPIRED else await self._reports.content(report)
        if compressed is None or report.size is None or report.sha256 is None:
            raise Gone("The time of this report is over; ask for another one.")
        self._record("report.downloaded", report)
        await self._session.commit()
        report_format = ReportFormat(report.format)
        return Content(
            f"scan-{report.scan_id}.{report_format}", report_format, report.size, compressed, report.sha256
        )

    async def delete(self, report_id: UUID) -> None:
        """Delete a report and its bytes; what a worker is about to make of it is dropped.

        Raises:
            NotFound: there is none, or it is another organisation's.
        """
        report = await self._reports.get(report_id)
        await self._session.delete(report)
        self._record("report.deleted", report)
        await self._session.commit()

    async def _add(self, wish: Wish, report_format: ReportFormat) -> Report:
        if wish.queued >= self._open_reports:
            raise TooManyRequests(
                f"{wish.queued} reports of your organisation wait; wait for one of them to be made.",
                retry_after=10,
            )
        report = Report(
            id=uuid7(),
            tenant_id=self._member.tenant_id,
            scan_id=wish.scan.id,
            format=report_format,
            requested_by=self._member.principal.id,
            results_version=wish.results_version,
        )
        await self._reports.add(report)
        payload = {"report_id": str(report.id), "tenant_id": str(report.tenant_id)}
        add_event(self._session, REQUESTED, payload, priority=Priority.LOW, lane=report.tenant_id)
        self._record("report.requested", report)
        return report

    def _record(self, action: str, report: Report) -> None:
        record(
            self._session,
            action,
            actor=self._member.principal,
            subject_type="report",
            subject_id=report.id,
            details={"scan_id": str(report.scan_id), "format": str(report.format)},
        )


def _state(report: Report, now: datetime) -> ReportState:
    """Where a report stands: its time is over before anything has swept it away."""
    is_over = report.expires_at is not None and report.expires_at <= now
    return ReportState.EXPIRED if is_over else ReportState(report.state)


def _published(report: Report, now: datetime) -> PublishedReport:
    return PublishedReport.model_validate(report).model_copy(update={"state": _state(report, now)})
