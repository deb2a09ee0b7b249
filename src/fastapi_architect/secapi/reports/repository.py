"""Queries for reports."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.database import Order, Repository, equals
from fastapi_architect.components.problem_details import NotFound

from ..projects.models import Project
from ..scans.models import Scan
from .models import Report, ReportContent, ReportFormat, ReportState


@dataclass(frozen=True, slots=True)
class Wish:
    """All that a request for a report is checked against."""

    scan: Scan
    results_version: int
    queued: int


class ReportRepository(Repository[Report]):
    """Finds, lists and adds the reports of one organisation, or of one of its scans."""

    model = Report
    orders: ClassVar = {
        "newest": Order(Report.created_at, descending=True),
        "oldest": Order(Report.created_at),
    }
    filters: ClassVar = {"format": equals(Report.format)}
    missing: ClassVar = "There is no such report."

    def __init__(self, session: AsyncSession, tenant_id: UUID, scan_id: UUID | None = None) -> None:
        super().__init__(session)
        self._tenant_id = tenant_id
        self._scan_id = scan_id

    def visible(self) -> Select[Report]:
        """Return the query that every other one begins with: of projects that were not deleted."""
        statement = (
            super()
            .visible()
            .join(Scan, Scan.id == Report.scan_id)
            .join(Project, Project.id == Scan.project_id)
            .where(Report.tenant_id == self._tenant_id, Project.deleted_at.is_(None))
        )
        return statement if self._scan_id is None else statement.where(Report.scan_id == self._scan_id)

    async def wish(self, scan_id: UUID) -> Wish:
        """Return what a request for a report of a scan is checked against.

        Raises:
            NotFound: there is no such scan, or it is another organisation's.
        """
        queued = (
            select(func.count())
            .select_from(Report)
            .where(Report.tenant_id == self._tenant_id, Report.state == ReportState.QUEUED)
            .scalar_subquery()
        )
        statement = (
            select(Scan, Project.results_version, queued)
            .join(Project, Project.id == Scan.project_id)
            .where(Scan.id == scan_id, Scan.tenant_id == self._tenant_id, Project.deleted_at.is_(None))
        )
        found = (await self._session.execute(statement)).one_or_none()
        if found is None:
            raise NotFound("There is no such scan.")
        return Wish(*found)

    async def same(self, wish: Wish, report_format: ReportFormat, newest: datetime) -> Report | None:
        """Return a report that says what a new one would.

        Args:
            wish: as `wish` gives it.
            report_format: of the report.
            newest: an older one is not the same: the day of an acceptance may have come meanwhile.
        """
        statement = (
            self.visible()
            .where(
                Report.scan_id == wish.scan.id,
                Report.format == report_format,
                Report.results_version == wish.results_version,
                Report.state.in_([ReportState.QUEUED, ReportState.READY]),
                Report.created_at > newest,
            )
            .order_by(Report.created_at.desc())
            .limit(1)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def content(self, report: Report) -> bytes | None:
        """Return the bytes of a report as they are kept; None: they were deleted."""
        statement = select(ReportContent.compressed).where(
            ReportContent.report_id == report.id, ReportContent.tenant_id == self._tenant_id
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def now(self) -> datetime:
        """Return the present moment, by the clock that everything else is told by."""
        return (await self._session.execute(select(func.now()))).scalar_one()
