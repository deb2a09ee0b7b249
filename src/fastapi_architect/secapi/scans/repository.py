"""Queries for scans."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Select, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from fastapi_architect.components.database import Order, Repository, equals
from fastapi_architect.components.problem_details import NotFound
from fastapi_architect.components.uploads import Upload

from ..projects.models import Project
from .models import Scan, ScanEvent, ScanState


@dataclass(frozen=True, slots=True)
class Submission:
    """All that a submission is checked against, read at once."""

    default_branch: str | None
    upload: Upload | None
    open_scans: int


class ScanRepository(Repository[Scan]):
    """Finds, lists and adds the scans of one organisation."""

    model = Scan
    orders: ClassVar = {
        "newest": Order(Scan.created_at, descending=True),
        "oldest": Order(Scan.created_at),
    }
    filters: ClassVar = {"state": equals(Scan.state), "branch": equals(Scan.branch)}
    missing: ClassVar = "There is no such scan."
    duplicate: ClassVar = "This upload is scanned already; upload it again for another scan."

    def __init__(self, session: AsyncSession, tenant_id: UUID, project_id: UUID | None = None) -> None:
        super().__init__(session)
        self._tenant_id = tenant_id
        self._project_id = project_id

    def visible(self) -> Select[Scan]:
        """Return the query that every other one begins with: of projects that were not deleted."""
        statement = (
            super()
            .visible()
            .join(Project, Project.id == Scan.project_id)
            .where(Scan.tenant_id == self._tenant_id, Project.deleted_at.is_(None))
        )
        return statement if self._project_id is None else statement.where(Scan.project_id == self._project_id)

    async def submission(self, project_id: UUID, upload_id: UUID, owner_id: UUID) -> Submission:
        """Return what a new scan of a project is checked against, in one round trip.

        The upload is locked until the transaction ends: what deletes it at this moment is waited for, or waits.
        """
        open_scans = (
            select(func.count())
            .select_from(Scan)
            .where(
                Scan.tenant_id == self._tenant_id,
                Scan.state.in_([ScanState.QUEUED, ScanState.RUNNING]),
            )
            .scalar_subquery()
        )
        # Of its own, because the side of a join that may be missing cannot be locked.
        own = (
            select(Upload)
            .where(Upload.id == upload_id, Upload.owner_id == owner_id)
            .with_for_update(key_share=True, read=True)
            .cte("own")
        )
        upload = aliased(Upload, own)
        statement = (
            select(Project.default_branch, upload, open_scans)
            .select_from(Project)
            .outerjoin(upload, true())
            .where(
                Project.id == project_id, Project.tenant_id == self._tenant_id, Project.deleted_at.is_(None)
            )
        )
        row = (await self._session.execute(statement)).one_or_none()
        return Submission(None, None, 0) if row is None else Submission(row[0], row[1], row[2])

    async def state_of(self, scan_id: UUID) -> ScanState:
        """Return where a scan stands, without its results.

        Raises:
            NotFound: there is none, or it is another organisation's.
        """
        statement = self.visible().with_only_columns(Scan.state).where(Scan.id == scan_id)
        state = (await self._session.execute(statement)).scalar_one_or_none()
        if state is None:
            raise NotFound(self.missing)
        return ScanState(state)

    async def events(self, scan_id: UUID, after: int, limit: int) -> Sequence[ScanEvent]:
        """Return what happened to a scan after a cursor, oldest first."""
        statement = (
            select(ScanEvent)
            .where(ScanEvent.scan_id == scan_id, ScanEvent.tenant_id == self._tenant_id, ScanEvent.id > after)
            .order_by(ScanEvent.id)
            .limit(limit)
        )
        return (await self._session.execute(statement)).scalars().all()
