"""Completing a scan: its findings, its verdict and what others are told, in one transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from fastapi_architect.components.outbox import Priority, add_event
from fastapi_architect.components.uploads import Upload

from ..branches.models import Branch
from ..findings.matching import Looked, Matched, Said, Seen, lock_branch, match_scan
from ..findings.models import Finding, FindingInBranch, Presence
from ..gates.verdict import verdict_on
from ..imports.sources import ENGINE
from ..projects.models import Project
from ..projects.results import results_changed
from ..work.counting import count, counts_of_scan
from .models import Scan, ScanEvent, ScanRoot, ScanState
from .telling import tell_end, tell_findings, tell_gate
from .work import ARCHIVE_LEFT


@dataclass(frozen=True, slots=True)
class RootReport:
    """What came of one application root, or of one tool whose results were imported.

    Attributes:
        root: its folder in the archive, "" for the top.
        report: the engine's, or what a tool found in the same form; None: it could not be reviewed, and `error` says why.
        proposed: fingerprints of the findings that the archive asked to ignore.
        error: why there is no report.
        code: the same as a stable word.
        walls: what kept the process in that wrote the report.
        source: who says it.
        closes: what was found before and is not in the report is fixed.
    """

    root: str
    report: Mapping[str, Any] | None
    proposed: frozenset[str] = frozenset()
    error: str | None = None
    code: str | None = None
    walls: Mapping[str, Any] = field(default_factory=dict)
    source: str = ENGINE
    closes: bool = True


def complete(session: Session, scan: Scan, roots: Sequence[RootReport]) -> None:
    """End a scan with what was found. The caller commits, and with it the end of the task.

    Args:
        session: a worker's, bound to the organisation.
        scan: locked by the caller.
        roots: every application root of the archive, or every source of an imported file; those of one source together.
    """
    if not any(each.report for each in roots):
        first = roots[0]
        end(session, scan, ScanState.FAILED, first.code, first.error)
        return
    project = session.get_one(Project, scan.project_id)
    branch = lock_branch(session, scan.tenant_id, scan.project_id, scan.branch)
    scan.sources = sorted({each.source for each in roots})
    each_matched: list[Matched] = []
    for source, group in groupby(roots, key=lambda each: each.source):
        of_source = list(group)
        said = Said(_seen(of_source), _looked(of_source), source)
        each_matched.append(match_scan(session, branch, scan.id, scan.created_at, said))
        session.flush()
        _keep_findings(session, scan, of_source, each_matched[-1])
    matched = Matched.together(each_matched)
    verdict = verdict_on(session, project, branch)
    scores = [each.report["score"] for each in roots if each.report]
    scan.score = min((int(each) for each in scores if each is not None), default=None)
    scan.counts = _open_by_severity(session, branch)
    scan.gate = verdict.document()
    scan.notes = _notes(roots, matched)
    scan.engine = next((str(each.report["model"])[:40] for each in roots if each.report), None)
    end(session, scan, ScanState.DONE)
    if not matched.is_outdated:
        branch.counts = scan.counts
        # Other tools give none: what our engine said last stays.
        if scan.score is not None:
            branch.score = scan.score
        # Whoever scans it still works on it.
        branch.archived_at = None
        tell_gate(session, scan, branch, verdict)
        tell_findings(session, scan, matched)
    session.flush()
    session.execute(results_changed(project.id))


def end(
    session: Session, scan: Scan, state: ScanState, code: str | None = None, why: str | None = None
) -> None:
    """End a scan, however it ended, leave its archive, and tell whoever listens. The caller commits.

    Args:
        session: a worker's, bound to the organisation.
        scan: locked by the caller.
        state: a final one.
        code: a stable word for what went wrong.
        why: a sentence for its owners.
    """
    now: Any = func.now()
    scan.state, scan.finished_at, scan.error_code, scan.error = state, now, code, why
    note(session, scan, "finished", {"state": state, **({"error_code": code} if code else {})})
    tell_end(session, scan)
    count(session, counts_of_scan(state, _seconds_since_submission(session, scan)))
    if not _waits_for_another_try(session, scan):
        leave_archive(session, scan)


def _seconds_since_submission(session: Session, scan: Scan) -> float:
    session.flush()
    return float(session.execute(select(func.extract("epoch", func.now() - scan.created_at))).scalar_one())


def leave_archive(session: Session, scan: Scan) -> bool:
    """Let the archive of a scan be deleted after the commit, and tell whether there was one.

    Not before it: a task that died in between would have nothing to begin anew with.
    """
    upload = None if scan.upload_id is None else session.get(Upload, scan.upload_id)
    scan.upload_id = None
    if upload is None:
        return False
    payload = {"storage_key": upload.storage_key}
    add_event(session, ARCHIVE_LEFT, payload, priority=Priority.LOW, lane=scan.tenant_id)
    session.delete(upload)
    return True


def _waits_for_another_try(session: Session, scan: Scan) -> bool:
    """Whether somebody may want to try the scan again, and the project keeps archives for that."""
    if scan.state not in (ScanState.FAILED, ScanState.DEAD):
        return False
    project = session.get(Project, scan.project_id)
    return project is not None and project.keep_failed_archives_hours > 0


def note(session: Session, scan: Scan, kind: str, details: Mapping[str, Any] | None = None) -> None:
    """Add to what happened to a scan: listeners resume by it."""
    session.add(ScanEvent(tenant_id=scan.tenant_id, scan_id=scan.id, kind=kind, details=dict(details or {})))


def _seen(roots: Sequence[RootReport]) -> list[Seen]:
    return [
        Seen(each.root, document, document["fingerprint"] in each.proposed)
        for each in roots
        if each.report is not None
        for document in each.report["findings"]
    ]


def _looked(roots: Sequence[RootReport]) -> Looked:
    reviewed = [(each.root, each.report) for each in roots if each.report is not None and each.closes]
    return Looked(
        frozenset(root for root, _ in reviewed),
        frozenset(
            f"{root}/{each['file']}" if root else str(each["file"])
            for root, report in reviewed
            for each in report["not_analysed"]
        ),
    )


def _keep_findings(session: Session, scan: Scan, roots: Sequence[RootReport], matched: Matched) -> None:
    """Write beside each report which findings it speaks of: later scans give them other fingerprints."""
    if matched.is_outdated:
        return
    changed = dict.fromkeys(matched.new, "new") | dict.fromkeys(matched.reopened, "reopened")
    noted = iter(matched.seen)
    for each in roots:
        if each.report is None:
            continue
        kept = [(str(one), changed.get(one, "kept")) for one in islice(noted, len(each.report["findings"]))]
        session.execute(
            update(ScanRoot)
            .where(ScanRoot.scan_id == scan.id, ScanRoot.path == each.root, ScanRoot.source == each.source)
            .values(findings=kept)
            .execution_options(synchronize_session=False)
        )


def _open_by_severity(session: Session, branch: Branch) -> dict[str, int]:
    statement = (
        select(Finding.severity)
        .join(FindingInBranch, FindingInBranch.finding_id == Finding.id)
        .where(FindingInBranch.branch_id == branch.id, FindingInBranch.presence != Presence.FIXED)
    )
    return dict(sorted(Counter(session.scalars(statement)).items()))


def _notes(roots: Sequence[RootReport], matched: Matched) -> dict[str, Any]:
    return {
        "new": len(matched.new),
        "reopened": len(matched.reopened),
        "fixed": len(matched.fixed),
        "is_outdated": matched.is_outdated,
        "not_reviewed": {each.root: each.error for each in roots if each.report is None},
        "not_analysed": sum(len(each.report["not_analysed"]) for each in roots if each.report is not None),
        "walls": {each.root: dict(each.walls) for each in roots if each.report is not None},
        "proposed_ignored": sum(len(each.proposed) for each in roots),
    }


def scan_of(session: Session, scan_id: UUID) -> Scan | None:
    """Return a scan, locked until the transaction ends; None: it was deleted."""
    statement = select(Scan).where(Scan.id == scan_id).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
