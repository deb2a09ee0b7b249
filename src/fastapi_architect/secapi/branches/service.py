"""What may happen to branches in requests. Scans make them, and say what is in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.audit_log import record
from fastapi_architect.components.database import SeenVersion
from fastapi_architect.components.problem_details import Conflict, InvalidInput

from ..membership import Member
from ..projects.models import Project
from ..projects.repository import ProjectRepository
from ..scans.models import ScanState
from ..scans.repository import ScanRepository
from .models import Branch
from .repository import BranchRepository
from .schemas import BranchChange, BranchQuery, PublishedBranch


@dataclass(frozen=True, slots=True)
class Branches:
    """A page of the branches of a project."""

    items: list[PublishedBranch]
    next_cursor: str | None


class BranchService:
    """Reads the branches of one organisation's projects, chooses their baselines and puts them away."""

    def __init__(self, session: AsyncSession, member: Member) -> None:
        self._session = session
        self._member = member
        self._projects = ProjectRepository(session, member.tenant_id)

    async def list(self, project_id: UUID, query: BranchQuery) -> Branches:
        """Return a page of the branches of a project.

        Raises:
            NotFound: there is no such project.
            InvalidInput: the cursor is not one of this list in this order.
        """
        project = await self._projects.get(project_id)
        page = await self._of(project_id).list(query)
        return Branches([_published(each, project) for each in page.items], page.next_cursor)

    async def read(self, project_id: UUID, branch_id: UUID) -> tuple[Branch, PublishedBranch]:
        """Return a branch, and what members see of it.

        Raises:
            NotFound: there is no such project, or no such branch in it.
        """
        project = await self._projects.get(project_id)
        branch = await self._of(project_id).get(branch_id)
        return branch, _published(branch, project)

    async def change(
        self, project_id: UUID, branch_id: UUID, seen: SeenVersion, change: BranchChange
    ) -> tuple[Branch, PublishedBranch]:
        """Choose the baseline of a branch, put it away or take it back.

        Raises:
            NotFound: there is no such project, branch, or scan of the project.
            PreconditionFailed: it was changed after the caller read it.
            Conflict: the default branch is never put away.
            InvalidInput: that cannot be a baseline of this branch; the message says why.
        """
        project = await self._projects.get(project_id)
        branch = await self._locked(project_id, branch_id, seen)
        sent = change.model_dump(exclude_unset=True)
        if sent.keys() & {"baseline", "baseline_scan_id"}:
            await self._compare(branch, change)
        if change.archived is not None:
            _put_away(branch, project, away=change.archived)
        return await self._kept(project, branch, "branch.changed", sorted(sent))

    async def archive(self, project_id: UUID, branch_id: UUID, seen: SeenVersion) -> None:
        """Put a branch away: it is listed no more, and everything that was found in it stays.

        Raises:
            NotFound: there is no such project or branch.
            PreconditionFailed: it was changed after the caller read it.
            Conflict: it is the default branch.
        """
        project = await self._projects.get(project_id)
        branch = await self._locked(project_id, branch_id, seen)
        _put_away(branch, project, away=True)
        await self._kept(project, branch, "branch.archived", ["archived"])

    async def _locked(self, project_id: UUID, branch_id: UUID, seen: SeenVersion) -> Branch:
        branch = await self._of(project_id).get_locked(branch_id)
        seen.require(branch)
        return branch

    async def _compare(self, branch: Branch, change: BranchChange) -> None:
        branch.baseline, branch.baseline_scan_id, branch.baseline_at = change.baseline, None, None
        if change.baseline_scan_id is not None:
            scans = ScanRepository(self._session, self._member.tenant_id, branch.project_id)
            scan = await scans.get(change.baseline_scan_id)
            if scan.state != ScanState.DONE:
                raise InvalidInput(f"Only a scan that is done can be a baseline; this one is {scan.state}.")
            branch.baseline, branch.baseline_scan_id, branch.baseline_at = (
                scan.branch,
                scan.id,
                scan.finished_at,
            )
        elif change.baseline == branch.name:
            raise InvalidInput(
                "A branch compared with itself has nothing new: choose another one, or a scan by baseline_scan_id."
            )
        elif change.baseline is not None and await self._of(branch.project_id).named(change.baseline) is None:
            raise InvalidInput(f"No scan of the branch {change.baseline!r} has been done yet.")

    async def _kept(
        self, project: Project, branch: Branch, action: str, fields: Sequence[str]
    ) -> tuple[Branch, PublishedBranch]:
        await self._session.flush()
        # What the database computed, such as when it was put away, an async session cannot fetch later.
        await self._session.refresh(branch)
        record(
            self._session,
            action,
            actor=self._member.principal,
            subject_type="branch",
            subject_id=branch.id,
            details={"project_id": str(project.id), "name": branch.name, "fields": [*fields]},
        )
        await self._session.commit()
        return branch, _published(branch, project)

    def _of(self, project_id: UUID) -> BranchRepository:
        return BranchRepository(self._session, self._member.tenant_id, project_id)


def _put_away(branch: Branch, project: Project, *, away: bool) -> None:
    if away and branch.name == project.default_branch:
        raise Conflict("This is the project's default branch; choose another one for the project first.")
    # The clock of the database, as everywhere.
    now: Any = func.now()
    if away != (branch.archived_at is not None):
        branch.archived_at = now if away else None


def _published(branch: Branch, project: Project) -> PublishedBranch:
    names = PublishedBranch.model_fields.keys() - {"is_default"}
    return PublishedBranch(
        is_default=branch.name == project.default_branch, **{name: getattr(branch, name) for name in names}
    )
