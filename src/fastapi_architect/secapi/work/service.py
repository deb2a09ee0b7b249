"""What may happen to work that was given up."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.audit_log import record
from fastapi_architect.components.outbox import OutboxEvent, replay, settle
from fastapi_architect.components.problem_details import NotFound

from ..membership import Member
from ..scans.models import Scan, ScanState
from ..scans.repository import ScanRepository
from ..scans.service import ScanService
from ..scans.work import REQUESTED, REVIEWED, ROOT
from .repository import WorkRepository
from .schemas import DeadLetter, DeadLetterQuery

#: Work on a scan: another attempt at a part of it would find the scan ended, so that the whole scan begins anew.
OF_SCANS = frozenset([*REQUESTED.values(), *ROOT.values(), REVIEWED])


class WorkService:
    """Shows what was given up of one organisation, and lets it be tried again."""

    def __init__(self, session: AsyncSession, member: Member, scans: ScanService) -> None:
        self._session = session
        self._member = member
        self._scans = scans
        self._work = WorkRepository(session, member.tenant_id)

    async def list(self, query: DeadLetterQuery) -> Sequence[DeadLetter]:
        """Return dead letters, those of the newest work first."""
        return [published(each) for each in await self._work.list(query.topic, query.before, query.limit)]

    async def read(self, event_id: UUID) -> DeadLetter:
        """Return a dead letter, or what became of it.

        Raises:
            NotFound: there is none.
        """
        return published(await self._work.get(event_id))

    async def replay(self, event_id: UUID) -> DeadLetter:
        """Try a dead letter again; one that was replayed already stays as it is.

        Raises:
            NotFound: there is none.
            Conflict: the archive of its scan was deleted.
        """
        event = await self._work.get(event_id, locked=True)
        if event.dead_at is None:
            return published(event)
        if event.topic in OF_SCANS:
            await self._replay_scan(event)
        else:
            await self._session.run_sync(replay, event.id)
        record(
            self._session,
            "work.replayed",
            actor=self._member.principal,
            subject_type="dead_letter",
            subject_id=event.id,
            details={"topic": event.topic},
        )
        await self._session.commit()
        await self._session.refresh(event)
        return published(event)

    async def _replay_scan(self, event: OutboxEvent) -> None:
        """Let the scan begin anew, unless it did already; the letter ends in the same transaction."""
        keep = {"scan_id": event.payload["scan_id"]}
        scan = await self._scan(UUID(event.payload["scan_id"]))
        if scan is not None and scan.run == int(event.payload["run"]) and _waits_for_it(scan):
            keep["replayed_as"] = str(self._scans.begin_anew(scan))
        await self._session.run_sync(settle, event.id, keep)

    async def _scan(self, scan_id: UUID) -> Scan | None:
        try:
            return await ScanRepository(self._session, self._member.tenant_id).get_locked(scan_id)
        except NotFound:
            return None


def _waits_for_it(scan: Scan) -> bool:
    """Tell whether the scan ended as dead, or has not heard yet that its work was given up."""
    return scan.state == ScanState.DEAD or not ScanState(scan.state).is_final


def published(event: OutboxEvent) -> DeadLetter:
    """Return what members see of an event."""
    return DeadLetter(
        id=event.id,
        topic=event.topic,
        state=event.state,
        attempts=event.attempts,
        last_error=event.last_error,
        scan_id=event.payload.get("scan_id"),
        replayed_as=event.payload.get("replayed_as"),
        request_id=event.request_id,
        created_at=event.created_at,
        dead_at=event.dead_at,
    )
