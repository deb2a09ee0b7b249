"""What a worker does with a file of results: has it read in the sandbox, and completes its scan by it."""

import logging

from msgspec import to_builtins

from fastapi_architect.components.database import Database
from fastapi_architect.components.outbox import HandlerContext

from ..imports.document import Imported
from ..imports.limits import ImportRefused
from ..imports.options import ImportKind, ImportOptions
from ..sandbox import Cancelled, ImportReading, read_untrusted
from .completing import RootReport, complete, note
from .component import Scans
from .models import Scan, ScanState
from .transitions import Listener, bound, give_up
from .work import Work
from .working import cancel, final, keep, uploaded

logger = logging.getLogger(__name__)


def import_results(context: HandlerContext, work: Work) -> None:
    """Read a file of results. What each source says in it is matched with what that source said before."""
    reading = _read(context, work)
    if reading is None:
        return
    with final(context, work) as scan:
        if scan is None:
            return
        root = _options(scan).root
        walls = to_builtins(reading.walls)
        reports = [_report(each, root, walls) for each in reading.imported]
        for each in reports:
            keep(context.session, scan, each)
        found = sum(len(each.report.findings) for each in reading.imported)
        told = {"sources": [each.source for each in reports], "findings": found}
        note(context.session, scan, "imported", told)
        complete(context.session, scan, reports)


def _read(context: HandlerContext, work: Work) -> ImportReading | None:
    """What the file says; None: the scan has ended, perhaps just now."""
    database = context.component(Database)
    with uploaded(context, work) as file:
        if file is None:
            return None
        with bound(database, work) as session:
            scan = session.get_one(Scan, work.scan_id)
            kind, options = ImportKind(scan.kind), _options(scan)
        memory = context.component(Scans).settings.sandbox_memory
        cancelled = Listener(database, work).is_cancelled
        try:
            return read_untrusted(file, kind, options, memory=memory, cancelled=cancelled)
        except Cancelled:
            with bound(database, work) as session:
                cancel(session, work)
            return None
        except ImportRefused as refusal:
            if refusal.errors:
                told = {"code": refusal.code, "errors": refusal.errors[:2000]}
                logger.warning("an import was not read", extra=told)
            with bound(database, work) as session:
                give_up(session, work, ScanState.FAILED, refusal.code, refusal.message)
            return None


def _options(scan: Scan) -> ImportOptions:
    return ImportOptions(**(scan.import_options or {}))


def _report(imported: Imported, root: str, walls: dict[str, object]) -> RootReport:
    return RootReport(
        root,
        to_builtins(imported.report),
        imported.proposed,
        walls=walls,
        source=imported.source,
        closes=imported.closes,
    )
