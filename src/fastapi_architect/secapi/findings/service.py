"""What may happen to findings in requests. What scans make of them stands in `matching.py`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.audit_log import record
from fastapi_architect.components.database import SeenVersion, Slice
from fastapi_architect.components.problem_details import Forbidden, InvalidInput

from ..membership import Member
from ..projects.repository import ProjectRepository
from ..projects.results import results_changed
from .models import Finding, FindingEvent, Triage
from .repository import FindingRepository, FindingsOfBranch, Placed
from .schemas import LONGEST_ACCEPTANCE, BulkDecision, Decision, FindingQuery, ItemOutcome, ItemResult


class FindingService:
    """Reads the findings of one organisation, and keeps what people decide and say about them."""

    def __init__(self, session: AsyncSession, member: Member) -> None:
        self._session = session
        self._member = member
        self._findings = FindingRepository(session, member.tenant_id)

    async def list(self, project_id: UUID, query: FindingQuery) -> Slice[Any]:
        """Return a page of the findings of a branch, as lists show them.

        Raises:
            NotFound: there is no such project.
            InvalidInput: the cursor is not one of this list in this order.
        """
        findings = FindingsOfBranch(self._session, self._member.tenant_id, project_id, query.branch)
        page = await findings.list_placed(query)
        if not page.items:
            # Where there are findings, there is their project.
            await ProjectRepository(self._session, self._member.tenant_id).get(project_id)
        return page

    async def read(self, finding_id: UUID, branch: str | None) -> Placed:
        """Return a finding as it is in a branch.

        Raises:
            NotFound: there is none, it is another organisation's, or it never was in that branch.
        """
        return await self._findings.read(finding_id, branch)

    async def decide(self, finding_id: UUID, seen: SeenVersion, decision: Decision) -> Placed:
        """Keep a decision about a finding.

        Raises:
            NotFound: there is none.
            PreconditionFailed: it was changed after the caller read it.
            Forbidden: the caller may not accept findings.
            InvalidInput: it would be accepted for too long, or until a moment that has passed.
        """
        self._check(decision)
        finding = await self._findings.get_locked(finding_id)
        seen.require(finding)
        self._apply(finding, decision)
        await self._commit(finding.project_id)
        return await self._findings.read(finding_id, None)

    async def decide_all(self, project_id: UUID, decision: BulkDecision) -> int:
        """Keep the same decision about several findings: about all of them or about none.

        Raises:
            NotFound: one of them is not in the project.
            Forbidden: the caller may not accept findings.
            InvalidInput: they would be accepted for too long, or until a moment that has passed.
        """
        self._check(decision)
        found = await self._findings.lock_all(project_id, decision.finding_ids)
        for finding in found:
            self._apply(finding, decision)
        await self._commit(project_id)
        return len(found)

    async def decide_each(self, project_id: UUID, decision: BulkDecision) -> Sequence[ItemResult]:
        """Keep the same decision about those of several findings that are there, and as the caller has seen them.

        Raises:
            NotFound: there is no such project.
            Forbidden: the caller may not accept findings.
            InvalidInput: they would be accepted for too long, or until a moment that has passed.
        """
        self._check(decision)
        await ProjectRepository(self._session, self._member.tenant_id).get(project_id)
        found = await self._findings.lock_those(project_id, decision.finding_ids)
        here = {each.id: each for each in found}
        outcomes: dict[UUID, ItemOutcome] = {}
        for finding_id in decision.finding_ids:
            finding, version = here.get(finding_id), decision.seen.get(finding_id)
            if finding is None:
                outcomes[finding_id] = ItemOutcome.NOT_FOUND
            elif version not in (None, finding.version):
                outcomes[finding_id] = ItemOutcome.CHANGED_MEANWHILE
            else:
                outcomes[finding_id] = ItemOutcome.DECIDED
                self._apply(finding, decision)
        await self._commit(project_id)
        return [
            ItemResult(
                finding_id=each, outcome=outcomes[each], version=here[each].version if each in here else None
            )
            for each in sorted(outcomes)
        ]

    async def comment(self, finding_id: UUID, text: str) -> FindingEvent:
        """Keep what somebody says about a finding.

        Raises:
            NotFound: there is none.
        """
        finding = await self._findings.get(finding_id)
        event = self._event(finding, "commented", {"text": text})
        self._record("finding.commented", finding, {})
        await self._session.commit()
        return event

    async def history(
        self, finding_id: UUID, kind: str | None, after: int, limit: int
    ) -> Sequence[FindingEvent]:
        """Return what happened to a finding after a cursor.

        Raises:
            NotFound: there is none.
        """
        await self._findings.get(finding_id)
        return await self._findings.history(finding_id, kind, after, limit)

    async def _commit(self, project_id: UUID) -> None:
        await self._session.flush()
        await self._session.execute(results_changed(project_id))
        await self._session.commit()

    def _check(self, decision: Decision) -> None:
        if decision.triage is not Triage.ACCEPTED or decision.expires_at is None:
            return
        if not self._member.may("findings:accept"):
            raise Forbidden("Your role does not allow to accept findings; ask a maintainer.")
        left = decision.expires_at - datetime.now(UTC)
        if left.total_seconds() <= 0 or left > LONGEST_ACCEPTANCE:
            raise InvalidInput(f"expires_at lies ahead, by at most {LONGEST_ACCEPTANCE.days} days.")

    def _apply(self, finding: Finding, decision: Decision) -> None:
        before = finding.triage
        # The clock of the database, as everywhere.
        now: Any = func.now()
        is_accepted = decision.triage is Triage.ACCEPTED
        finding.triage = decision.triage
        finding.reason, finding.expires_at = decision.reason, decision.expires_at
        finding.approved_by = self._member.principal.id if is_accepted else None
        finding.triaged_by, finding.triaged_at = self._member.principal.id, now
        details = {"from": before, "to": decision.triage, "reason": decision.reason}
        self._event(finding, "triaged", details)
        self._record("finding.triaged", finding, details)

    def _record(self, action: str, finding: Finding, details: dict[str, Any]) -> None:
        record(
            self._session,
            action,
            actor=self._member.principal,
            subject_type="finding",
            subject_id=finding.id,
            details={"project_id": str(finding.project_id), **details},
        )

    def _event(self, finding: Finding, kind: str, details: dict[str, Any]) -> FindingEvent:
        event = FindingEvent(
            tenant_id=finding.tenant_id,
            finding_id=finding.id,
            kind=kind,
            actor_id=self._member.principal.id,
            details=details,
        )
        self._session.add(event)
        return event
