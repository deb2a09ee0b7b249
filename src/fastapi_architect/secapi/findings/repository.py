"""Queries for findings."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, false, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.database import (
    Order,
    PageQuery,
    Repository,
    Slice,
    contains,
    equals,
    starts_with,
)
from fastapi_architect.components.problem_details import NotFound
from fastapi_architect.findings.severity import Severity

from ..branches.models import Branch
from ..projects.models import Project
from .models import Finding, FindingEvent, FindingInBranch, Presence
from .schemas import Wanted


def _present(wanted: Wanted) -> ColumnElement[bool]:
    if wanted is Wanted.ALL:
        return true()
    is_fixed = FindingInBranch.presence == Presence.FIXED
    return is_fixed if wanted is Wanted.FIXED else ~is_fixed


#: Names and words in whatever language: nothing is stemmed, and the parts of `sql-injection` are words.
_SIMPLE = literal_column("'simple'", REGCONFIG())


#: What a list shows, and by what it is sorted.
_LISTED = (
    Finding.id,
    Finding.project_id,
    Finding.source,
    Finding.rule,
    Finding.title,
    Finding.category,
    Finding.severity,
    Finding.severity_rank,
    Finding.confidence,
    Finding.cwe,
    Finding.cvss_score,
    Finding.triage,
    Finding.reason,
    Finding.expires_at,
    Finding.created_at,
    Finding.version,
    FindingInBranch.root,
    FindingInBranch.file,
    FindingInBranch.line,
    FindingInBranch.presence,
    FindingInBranch.is_proposed_ignored,
    FindingInBranch.first_scan_id,
    FindingInBranch.last_scan_id,
    Branch.name.label("branch"),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A finding, and where it is in a branch."""

    finding: Finding
    place: FindingInBranch
    branch: str


class FindingRepository(Repository[Finding]):
    """Finds and locks the findings of one organisation, in whichever branch they are."""

    model = Finding
    missing: ClassVar = "There is no such finding."

    def __init__(self, session: AsyncSession, tenant_id: UUID) -> None:
        super().__init__(session)
        self._tenant_id = tenant_id

    def visible(self) -> Select[Finding]:
        """Return the query that every other one begins with: of projects that were not deleted."""
        return (
            super()
            .visible()
            .join(Project, Project.id == Finding.project_id)
            .where(Finding.tenant_id == self._tenant_id, Project.deleted_at.is_(None))
        )

    async def read(self, finding_id: UUID, branch: str | None) -> Placed:
        """Return a finding as it is in a branch: the named one, else the project's default one, else the one scanned last.

        Raises:
            NotFound: there is none, it is another organisation's, or it never was in that branch.
        """
        statement = (
            self.visible()
            .join(FindingInBranch, FindingInBranch.finding_id == Finding.id)
            .join(Branch, Branch.id == FindingInBranch.branch_id)
            .add_columns(FindingInBranch, Branch.name)
            .where(Finding.id == finding_id)
            .order_by((Branch.name == Project.default_branch).desc(), FindingInBranch.updated_at.desc())
            .limit(1)
        )
        if branch is not None:
            statement = statement.where(Branch.name == branch)
        row = (await self._session.execute(statement)).one_or_none()
        if row is None:
            raise NotFound(self.missing)
        return Placed(*row)

    async def lock_all(self, project_id: UUID, finding_ids: Collection[UUID]) -> Sequence[Finding]:
        """Return findings of a project, locked.

        Raises:
            NotFound: one of them is not there.
        """
        found = await self.lock_those(project_id, finding_ids)
        if len(found) != len(finding_ids):
            raise NotFound("One of these findings does not exist in this project; nothing was changed.")
        return found

    async def lock_those(self, project_id: UUID, finding_ids: Collection[UUID]) -> Sequence[Finding]:
        """Return those of the findings that are there, locked in the order of their identifiers: no two of these wait in a circle."""
        statement = (
            self.visible()
            .where(Finding.project_id == project_id, Finding.id.in_(finding_ids))
            .order_by(Finding.id)
            .with_for_update(of=Finding)
            .execution_options(populate_existing=True)
        )
        return (await self._session.execute(statement)).scalars().all()

    async def history(
        self, finding_id: UUID, kind: str | None, after: int, limit: int
    ) -> Sequence[FindingEvent]:
        """Return what happened to a finding after a cursor, oldest first."""
        statement = select(FindingEvent).where(
            FindingEvent.finding_id == finding_id,
            FindingEvent.tenant_id == self._tenant_id,
            FindingEvent.id > after,
        )
        if kind is not None:
            statement = statement.where(FindingEvent.kind == kind)
        return (await self._session.execute(statement.order_by(FindingEvent.id).limit(limit))).scalars().all()


class FindingsOfBranch(FindingRepository):
    """Lists the findings of one branch.

    Args:
        session: of the request.
        tenant_id: whose findings.
        project_id: of the branch.
        branch: its name; None: the default one.
    """

    orders: ClassVar = {
        "severity": Order(Finding.severity_rank, descending=True),
        "newest": Order(Finding.created_at, descending=True),
        "oldest": Order(Finding.created_at),
    }
    filters: ClassVar = {
        "presence": _present,
        "triage": equals(Finding.triage),
        "severity": lambda lowest: Finding.severity_rank >= Severity(lowest).rank,
        "confidence": equals(Finding.confidence),
        "rule": equals(Finding.rule),
        "source": equals(Finding.source),
        "cwe": equals(Finding.cwe),
        "file": starts_with(FindingInBranch.file),
        "text": contains(Finding.title),
        "found_after": lambda moment: Finding.created_at > moment,
        "found_before": lambda moment: Finding.created_at < moment,
        # Which branch is a part of `visible` already.
        "branch": lambda _: true(),
    }

    def __init__(self, session: AsyncSession, tenant_id: UUID, project_id: UUID, branch: str | None) -> None:
        super().__init__(session, tenant_id)
        self._project_id = project_id
        self._branch = branch

    def visible(self) -> Select[Finding]:
        """Return the query that every other one begins with."""
        name = Project.default_branch if self._branch is None else self._branch
        return (
            super()
            .visible()
            .join(Branch, (Branch.project_id == Finding.project_id) & (Branch.name == name))
            .join(
                FindingInBranch,
                (FindingInBranch.finding_id == Finding.id) & (FindingInBranch.branch_id == Branch.id),
            )
            .where(Finding.project_id == self._project_id)
        )

    def condition(self, field: str, value: Any) -> ColumnElement[bool]:
        """Return what a field of the query asks for; words are looked for in this branch."""
        if field != "words":
            return super().condition(field, value)
        words = func.websearch_to_tsquery(_SIMPLE, value)
        found = Finding.id.in_(select(func.findings_with_words(self._branch_id(), words)))
        # As a set that rows are held against in the order of the list. PostgreSQL cannot know how many have these words: as a join
        # it would fetch them one by one, which is quick for ten and takes seconds for ten thousand.
        return func.coalesce(found, false())

    def _branch_id(self) -> ScalarSelect[UUID]:
        """Return the branch as a query that is answered once, before rows are looked at."""
        name = Project.default_branch if self._branch is None else self._branch
        statement = (
            select(Branch.id)
            .join(Project, Project.id == Branch.project_id)
            .where(Branch.project_id == self._project_id, Branch.name == name)
        )
        # Not of the query around it, which has the same tables.
        return statement.correlate(None).scalar_subquery()

    async def list_placed(self, query: PageQuery) -> Slice[Any]:
        """Return a page of what lists show: rows with the names of `PublishedFinding`.

        What the engine says of each, most of its bytes, is not among them.

        Raises:
            InvalidInput: the cursor is not one of this list in this order.
        """
        return await self.list_columns(query, *_LISTED)
