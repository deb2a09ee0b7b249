"""What may happen to findings in requests. What scans make of them stands in `matching.py`."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.audit_log import record
from fastapi_architect.components.database import SeenVersion, Slice, in_transaction
from fastapi_architect.components.problem_details import Forbidden, InvalidInput

from ..gates.changes import lock_branches_of, may_change_gates, tell_decided
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

        async def work() -> None:
            await self._lock_branches([finding_id])
            finding = await self._findings.get_locked(finding_id)
            seen.require(finding)
            changed = self._apply(finding, decision)
            await self._keep(finding.project_id, changed)

        await in_transaction(self._session, work)
        return await self._findings.read(finding_id, None)

    async def decide_all(self, project_id: UUID, decision: BulkDecision) -> int:
        """Keep the same decision about several findings: about all of them or about none.

        Raises:
            NotFound: one of them is not in the project.
            Forbidden: the caller may not accept findings.
            InvalidInput: they would be accepted for too long, or until a moment that has passed.
        """
        self._check(decision)

        async def work() -> int:
            await self._lock_branches(decision.finding_ids)
            found = await self._findings.lock_all(project_id, decision.finding_ids)
            await self._keep(project_id, [each for one in found for each in self._apply(one, decision)])
            return len(found)

        return await in_transaction(self._session, work)

    async def decide_each(self, project_id: UUID, decision: BulkDecision) -> Sequence[ItemResult]:
        """Keep the same decision about those of several findings that are there, and as the caller has seen them.

        Raises:
            NotFound: there is no such project.
            Forbidden: the caller may not accept findings.
            InvalidInput: they would be accepted for too long, or until a moment that has passed.
        """
        self._check(decision)
        await ProjectRepository(self._session, self._member.tenant_id).get(project_id)
        return await in_transaction(self._session, lambda: self._decide_each(project_id, decision))

    async def _decide_each(self, project_id: UUID, decision: BulkDecision) -> Sequence[ItemResult]:
        await self._lock_branches(decision.finding_ids)
        found = await self._findings.lock_those(project_id, decision.finding_ids)
        here = {each.id: each for each in found}
        outcomes: dict[UUID, ItemOutcome] = {}
        changed: list[UUID] = []
        for finding_id in decision.finding_ids:
            finding, version = here.get(finding_id), decision.seen.get(finding_id)
            if finding is None:
                outcomes[finding_id] = ItemOutcome.NOT_FOUND
            elif version not in (None, finding.version):
                outcomes[finding_id] = ItemOutcome.CHANGED_MEANWHILE
            else:
                outcomes[finding_id] = ItemOutcome.DECIDED
                changed += self._apply(finding, decision)
        await self._keep(project_id, changed)
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

    async def _lock_branches(self, finding_ids: Collection[UUID]) -> None:
        """Lock the branches before the findings, as a scan does that ends: nobody waits in a circle."""
        await self._session.run_sync(lock_branches_of, finding_ids)

    async def _keep(self, project_id: UUID, changed: Sequence[UUID]) -> None:
        """Send what was decided, and tell which gates it has changed: all in the transaction of the decision."""
        await self._session.flush()
        if changed:
            await self._session.run_sync(tell_decided, project_id, changed)
            await self._session.flush()
        await self._session.execute(results_changed(project_id))

    def _check(self, decision: Decision) -> None:
        if decision.triage is not Triage.ACCEPTED or decision.expires_at is None:
            return
        if not self._member.may("findings:accept"):
            raise Forbidden("Your role does not allow to accept findings; ask a maintainer.")
        left = decision.expires_at - datetime.now(UTC)
        if left.total_seconds() <= 0 or left > LONGEST_ACCEPTANCE:
            raise InvalidInput(f"expires_at lies ahead, by at most {LONGEST_ACCEPTANCE.days} days.")

    def _apply(self, finding: Finding, decision: Decision) -> Sequence[UUID]:
        """Note a decision; return the finding if that can change a gate."""
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
        return [finding.id] if may_change_gates(before, decision.triage) else []

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
