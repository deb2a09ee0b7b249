"""What a worker does with a scan: fetches and opens its archive, reviews every application root, and completes it."""

import asyncio
import hashlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from msgspec import to_builtins
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fastapi_architect.components.database import Database, bind_worker_setting
from fastapi_architect.components.outbox import (
    HandlerContext,
    add_event,
    begin_fan_in,
    complete_part,
)
from fastapi_architect.components.uploads import Storage, Upload, Uploads

from ..archives import (
    ArchiveLimits,
    ArchiveRefused,
    Unpacked,
    UnpackingCancelled,
    private_folder,
    sweep,
    unpack,
)
from ..membership import TENANT
from ..sandbox import Cancelled, NotReviewed, Root, review_root, roots_of
from .completing import RootReport, complete, end, note
from .component import Scans
from .models import Scan, ScanRoot, ScanState
from .transitions import Listener, begin, bound, current, give_up
from .work import PRIORITIES, REVIEWED, ROOT, Work

logger = logging.getLogger(__name__)


def open_scan(context: HandlerContext, work: Work) -> None:
    """Open the archive of a scan. One application root is reviewed at once, several become a task each."""
    with _opened(context, work) as unpacked:
        if unpacked is None:
            return
        roots = roots_of(unpacked)
        if len(roots) == 1:
            report = _review(context, work, unpacked, roots[0])
            with final(context, work) as scan:
                if scan is not None and report is not None:
                    scan.roots = scan.roots_done = 1
                    keep(context.session, scan, report)
                    complete(context.session, scan, [report])
            return
    with final(context, work) as scan:
        if scan is not None:
            _divide(context.session, scan, work, roots)


def review_one_root(context: HandlerContext, work: Work) -> None:
    """Review one of several application roots; the last one to end adds the event that completes the scan."""
    with _opened(context, work) as unpacked:
        if unpacked is None:
            return
        [root] = [each for each in roots_of(unpacked) if each.path == work.root]
        report = _review(context, work, unpacked, root)
    with final(context, work) as scan:
        if scan is not None and report is not None:
            keep(context.session, scan, report)
            scan.roots_done += 1
            note(context.session, scan, "root-done", {"root": root.path, "of": scan.roots})
            context.session.flush()
            if work.fan_in_id is not None:
                complete_part(context.session, work.fan_in_id, lane=work.tenant_id)


def complete_scan(context: HandlerContext, work: Work) -> None:
    """Complete a scan all of whose application roots have been reviewed."""
    with final(context, work) as scan:
        if scan is not None:
            statement = select(ScanRoot).where(ScanRoot.scan_id == scan.id).order_by(ScanRoot.path)
            kept = context.session.scalars(statement).all()
            complete(context.session, scan, [_report_of(each) for each in kept])


@contextmanager
def uploaded(context: HandlerContext, work: Work) -> Iterator[Path | None]:
    """Give the upload of a scan as a file in a private folder; None: the scan has ended, perhaps just now."""
    database = context.component(Database)
    with bound(database, work) as session:
        scan = begin(session, work, context.attempt)
        upload = None if scan is None or scan.upload_id is None else session.get(Upload, scan.upload_id)
    if scan is None:
        yield None
        return
    base = Path(tempfile.gettempdir()) / "fastapi-architect"
    # What a killed worker left behind on this machine.
    sweep(base)
    with private_folder(base) as folder:
        if upload is None:
            raise FileNotFoundError("the upload of this scan was deleted")
        file = folder / "upload"
        asyncio.run(_fetch(context.component(Uploads).storage, upload, file))
        yield file


@contextmanager
def _opened(context: HandlerContext, work: Work) -> Iterator[Unpacked | None]:
    """Give the archive of a scan, taken apart in a private folder; None: the scan has ended, perhaps just now."""
    database = context.component(Database)
    with uploaded(context, work) as archive:
        if archive is None:
            yield None
            return
        try:
            unpacked = _unpack(context, work, archive)
        except UnpackingCancelled:
            unpacked = None
            with bound(database, work) as session:
                cancel(session, work)
        except ArchiveRefused as refusal:
            unpacked = None
            with bound(database, work) as session:
                give_up(session, work, ScanState.FAILED, refusal.code, refusal.message)
        yield unpacked


def _unpack(context: HandlerContext, work: Work, archive: Path) -> Unpacked:
    place = archive.with_name("content")
    place.mkdir(mode=0o700)
    settings = context.component(Scans).settings
    limits = ArchiveLimits(upload_bytes=settings.archive_bytes)
    return unpack(archive, place, limits, cancelled=Listener(context.component(Database), work).is_cancelled)


async def _fetch(storage: Storage, upload: Upload, target: Path) -> None:
    """Copy an archive out of the storage.

    Raises:
        FileNotFoundError: it was deleted.
        OSError: what the storage gives is not what was uploaded.
    """
    seen = hashlib.sha256()
    async with storage.read(upload.storage_key) as chunks:
        with target.open("wb") as file:
            async for chunk in chunks:
                seen.update(chunk)
                file.write(chunk)
    if seen.hexdigest() != upload.sha256:
        raise OSError("the storage gives another archive than was uploaded: its digest is another one")


def _review(context: HandlerContext, work: Work, unpacked: Unpacked, root: Root) -> RootReport | None:
    """Review one application root in the sandbox, and tell listeners how far it is; None: nobody wants the result any more."""
    settings = context.component(Scans).settings
    listener = Listener(context.component(Database), work)
    try:
        result = review_root(
            unpacked,
            root,
            seconds=settings.scan_seconds,
            memory=settings.sandbox_memory,
            progress=partial(listener.tell, root.path),
            cancelled=listener.is_cancelled,
        )
    except Cancelled:
        return None
    except NotReviewed as error:
        logger.warning("a root was not reviewed", extra={"code": error.code, "errors": error.errors[:2000]})
        return RootReport(root.path, None, error=error.message, code=error.code)
    return RootReport(root.path, result.report, result.proposed, walls=to_builtins(result.walls))


@contextmanager
def final(context: HandlerContext, work: Work) -> Iterator[Scan | None]:
    """Give the scan in the transaction that also ends the task; None: nobody wants the result any more.

    What is written in it is committed together with the end of the task, and not at all by an attempt that was overtaken.
    """
    bind_worker_setting(context.session, TENANT, work.tenant_id)
    scan = current(context.session, work)
    if scan is not None and scan.cancel_requested_at is not None:
        cancel(context.session, work)
        scan = None
    yield scan


def cancel(session: Session, work: Work) -> None:
    """End a scan that nobody wants any more."""
    scan = current(session, work)
    if scan is not None:
        end(session, scan, ScanState.CANCELLED)


def _divide(session: Session, scan: Scan, work: Work, roots: Sequence[Root]) -> None:
    """Give each application root a task; the one that ends last adds the event that completes the scan."""
    scan.roots, scan.roots_done = len(roots), 0
    # A run that died in the middle left some of them behind.
    session.execute(delete(ScanRoot).where(ScanRoot.scan_id == scan.id))
    note(session, scan, "unpacked", {"roots": [each.path for each in roots]})
    fan_in = begin_fan_in(session, len(roots), REVIEWED, work.payload())
    for each in roots:
        part = replace(work, root=each.path, fan_in_id=fan_in)
        add_event(
            session,
            ROOT[work.priority],
            part.payload(),
            priority=PRIORITIES[work.priority],
            lane=work.tenant_id,
        )


def keep(session: Session, scan: Scan, report: RootReport) -> None:
    """Keep what one source says of an application root, once: a repeated attempt replaces it."""
    session.execute(
        delete(ScanRoot).where(
            ScanRoot.scan_id == scan.id, ScanRoot.path == report.root, ScanRoot.source == report.source
        )
    )
    session.add(
        ScanRoot(
            tenant_id=scan.tenant_id,
            scan_id=scan.id,
            path=report.root,
            source=report.source,
            report=None if report.report is None else dict(report.report),
            proposed=sorted(report.proposed),
            error=report.error,
            error_code=report.code,
            walls=dict(report.walls),
        )
    )


def _report_of(kept: ScanRoot) -> RootReport:
    return RootReport(
        kept.path, kept.report, frozenset(kept.proposed), kept.error, kept.error_code, kept.walls, kept.source
    )
