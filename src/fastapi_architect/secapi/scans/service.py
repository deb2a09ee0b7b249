"""What may happen to scans in requests. What workers do with them stands in `tasks.py`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from fastapi_architect.components.audit_log import record
from fastapi_architect.components.database import Slice
from fastapi_architect.components.idempotency import IdempotentRequest, perform_once
from fastapi_architect.components.outbox import Priority, add_event
from fastapi_architect.components.problem_details import Conflict, InvalidInput, NotFound, TooManyRequests
from fastapi_architect.components.uploads import Upload

from ..kinds import MEDIA_TYPES
from ..membership import Member
from ..work.counting import SCANS, count
from .models import Scan, ScanEvent, ScanKind, ScanState
from .repository import ScanRepository
from .schemas import NewScan, PublishedScan, ScanQuery
from .telling import tell_end
from .work import ARCHIVE_LEFT, PRIORITIES, REQUESTED, Work

_PUBLISHED = TypeAdapter(PublishedScan)


class ScanService:
    """Submits, reads, cancels and repeats the scans of one organisation."""

    def __init__(self, session: AsyncSession, member: Member, *, open_scans: int) -> None:
        self._session = session
        self._member = member
        self._open_scans = open_scans
        self._scans = ScanRepository(session, member.tenant_id)

    async def submit(
        self, project_id: UUID, new: NewScan, request: IdempotentRequest | None
    ) -> PublishedScan:
        """Accept a scan: its row and its event are committed together, and nothing waits for a broker.

        Args:
            project_id: of the organisation.
            new: what shall be scanned.
            request: repeated ones get the first one's answer.

        Raises:
            NotFound: the organisation has no such project, or the caller no such upload.
            Conflict: the upload is scanned already.
            InvalidInput: the upload is no file of that kind.
            TooManyRequests: so many scans of the organisation wait or run.
        """

        async def work() -> PublishedScan:
            found = await self._scans.submission(project_id, new.upload_id, self._member.principal.id)
            if found.default_branch is None:
                raise NotFound("There is no such project.")
            if found.upload is None:
                raise NotFound("You have no such upload: send the file with PUT /uploads/{upload_id} first.")
            _fits(found.upload, new.kind)
            if found.open_scans >= self._open_scans:
                raise TooManyRequests(
                    f"{found.open_scans} scans of your organisation wait or run; wait for one of them to end.",
                    retry_after=30,
                )
            scan = self._scan(project_id, new, found.default_branch, found.upload)
            await self._scans.add(scan)
            self._record("scan.submitted", scan)
            return PublishedScan.model_validate(scan)

        return await perform_once(self._session, request, _PUBLISHED, work)

    async def list(self, project_id: UUID, query: ScanQuery) -> Slice[Scan]:
        """Return a page of a project's scans.

        Raises:
            InvalidInput: the cursor is not one of this list in this order.
        """
        return await ScanRepository(self._session, self._member.tenant_id, project_id).list(query)

    async def read(self, scan_id: UUID) -> Scan:
        """Return a scan.

        Raises:
            NotFound: there is none, or it is another organisation's.
        """
        return await self._scans.get(scan_id)

    async def events(self, scan_id: UUID, after: int, limit: int) -> Sequence[ScanEvent]:
        """Return what happened to a scan after a cursor.

        Raises:
            NotFound: there is none, or it is another organisation's.
        """
        await self._scans.get(scan_id)
        return await self._scans.events(scan_id, after, limit)

    async def cancel(self, scan_id: UUID) -> Scan:
        """End a scan: at once if it waits, as soon as its worker notices if it runs.

        Raises:
            NotFound: there is none.
            Conflict: it has ended.
        """
        scan = await self._scans.get_locked(scan_id)
        if ScanState(scan.state).is_final:
            raise Conflict(f"The scan has ended: it is {scan.state}.")
        # The clock of the database, as everywhere.
        now: Any = func.now()
        scan.cancel_requested_at = now
        if scan.state == ScanState.QUEUED:
            scan.state = ScanState.CANCELLED
            scan.finished_at = now
            self._note(scan, "finished", {"state": ScanState.CANCELLED})
            tell_end(self._session, scan)
            await self._session.run_sync(count, {(SCANS, ScanState.CANCELLED.value): 1})
            await self._leave_archive(scan)
        self._record("scan.cancelled", scan)
        await self._session.flush()
        await self._session.refresh(scan, ["cancel_requested_at", "finished_at"])
        await self._session.commit()
        return scan

    async def retry(self, scan_id: UUID) -> Scan:
        """Let a scan begin again that failed or died, on the archive that was submitted.

        Raises:
            NotFound: there is none.
            Conflict: it has not failed, or its archive was deleted.
        """
        scan = await self._scans.get_locked(scan_id)
        if scan.state not in (ScanState.FAILED, ScanState.DEAD):
            raise Conflict(f"Only a scan that failed or died can be tried again; this one is {scan.state}.")
        self.begin_anew(scan)
        self._record("scan.retried", scan)
        await self._session.commit()
        return scan

    def begin_anew(self, scan: Scan) -> UUID:
        """Let a scan that is locked begin its next run, and return its new task. The caller commits.

        Raises:
            Conflict: its archive was deleted.
        """
        if scan.upload_id is None:
            raise Conflict(
                "Its archive was deleted when it ended; submit it again. A project with keep_failed_archives_hours keeps it."
            )
        scan.state = ScanState.QUEUED
        scan.run += 1
        scan.task_id = self._request(scan)
        scan.attempts = scan.roots = scan.roots_done = 0
        scan.error = scan.error_code = scan.started_at = scan.finished_at = scan.cancel_requested_at = None
        self._note(scan, "retrying", {"run": scan.run})
        return scan.task_id

    async def _leave_archive(self, scan: Scan) -> None:
        """Let the archive of a scan be deleted after the commit; nobody has begun to read it."""
        upload = None if scan.upload_id is None else await self._session.get(Upload, scan.upload_id)
        scan.upload_id = None
        if upload is not None:
            payload = {"storage_key": upload.storage_key}
            add_event(self._session, ARCHIVE_LEFT, payload, priority=Priority.LOW, lane=scan.tenant_id)
            await self._session.delete(upload)

    def _scan(self, project_id: UUID, new: NewScan, default_branch: str, upload: Upload) -> Scan:
        scan = Scan(
            id=uuid7(),
            tenant_id=self._member.tenant_id,
            project_id=project_id,
            kind=new.kind,
            priority=new.priority,
            branch=new.branch or default_branch,
            commit=new.commit,
            run=1,
            requested_by=self._member.principal.id,
            upload_id=upload.id,
            import_options=_import_options(new),
            sha256=upload.sha256,
            size=upload.size,
        )
        scan.task_id = self._request(scan)
        return scan

    def _request(self, scan: Scan) -> UUID:
        work = Work.of(scan)
        return add_event(
            self._session,
            REQUESTED[work.priority],
            work.payload(),
            priority=PRIORITIES[work.priority],
            lane=scan.tenant_id,
        )

    def _note(self, scan: Scan, kind: str, details: dict[str, Any]) -> None:
        """Add to what happened to a scan, whose row is locked: listeners resume by the order of these."""
        self._session.add(ScanEvent(tenant_id=scan.tenant_id, scan_id=scan.id, kind=kind, details=details))

    def _record(self, action: str, scan: Scan) -> None:
        record(
            self._session,
            action,
            actor=self._member.principal,
            subject_type="scan",
            subject_id=scan.id,
            details={"project_id": str(scan.project_id), "branch": scan.branch},
        )


def _fits(upload: Upload, kind: ScanKind) -> None:
    """Refuse a file that cannot be of the kind that it is submitted as, before a worker finds out.

    Raises:
        InvalidInput: it cannot.
    """
    if upload.media_type not in MEDIA_TYPES[kind]:
        fitting = [str(each) for each, types in MEDIA_TYPES.items() if upload.media_type in types]
        raise InvalidInput(
            f"The upload is {upload.media_type}, which is no {kind}: submit it with kind {' or '.join(fitting)}, or upload "
            f"one of {', '.join(sorted(MEDIA_TYPES[kind]))}."
        )


def _import_options(new: NewScan) -> dict[str, str] | None:
    if new.kind is ScanKind.ARCHIVE:
        return None
    return {"root": new.root or "", "checkout": new.checkout_uri or ""}
