"""What a report is made of, read at one moment: a scan, what the engine wrote of each root, what people decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from ..branches.models import Branch
from ..findings.matching import Seen, recognise
from ..findings.models import Finding, Triage
from ..imports.sources import ENGINE
from ..projects.models import Project
from ..scans.models import Scan, ScanRoot


@dataclass(frozen=True, slots=True)
class Decision:
    """What people decided about a finding, and what its scan made of it.

    Attributes:
        finding_id: of the project.
        triage: the decision as it is now.
        reason: why.
        expires_at: of what is accepted.
        approved_by: who accepted it.
        triaged_by: who decided last.
        triaged_at: when.
        is_silenced: it closes no gate: it is no flaw, or accepted and the day has not come.
        change: new, kept or reopened in this scan; None: not known.
    """

    finding_id: UUID
    triage: str
    reason: str | None
    expires_at: datetime | None
    approved_by: UUID | None
    triaged_by: UUID | None
    triaged_at: datetime | None
    is_silenced: bool
    change: str | None


@dataclass(frozen=True, slots=True)
class RootMaterial:
    """What one source says of an application root of a scan.

    Attributes:
        path: its folder, "" for the top.
        report: of the engine, or what a tool found in the same form; None: `error` says why there is none.
        decisions: about each finding of the report, in its order; None: the finding is not known.
        error: why there is no report.
        error_code: the same as a stable word.
        source: who says it.
    """

    path: str
    report: Mapping[str, Any] | None
    decisions: Sequence[Decision | None] = ()
    error: str | None = None
    error_code: str | None = None
    source: str = ENGINE

    @property
    def is_imported(self) -> bool:
        """Whether another tool found it."""
        return self.source != ENGINE


@dataclass(frozen=True, slots=True)
class Material:
    """All that a report says.

    Attributes:
        made_at: when it was read.
        project: name of the project.
        scan: what is told of the scan, by name.
        score: the lowest of all roots; None: other tools give none.
        gate: the verdict when the scan ended.
        roots: every application root, by its path.
    """

    made_at: datetime
    project: str
    scan: Mapping[str, Any]
    score: int | None
    gate: Mapping[str, Any] | None
    roots: Sequence[RootMaterial]


def gather(session: Session, scan: Scan) -> Material:
    """Read what a report is made of.

    Args:
        session: a worker's, bound to the organisation.
        scan: that is done.
    """
    made_at = session.execute(select(func.now())).scalar_one()
    project = session.get_one(Project, scan.project_id)
    kept = session.scalars(
        select(ScanRoot).where(ScanRoot.scan_id == scan.id).order_by(ScanRoot.path, ScanRoot.source)
    ).all()
    told = {each.id: _told(session, scan, each) for each in kept}
    known = _findings(session, {one for pairs in told.values() for one, _ in pairs if one is not None})

    def decision(finding: UUID | None, change: str | None) -> Decision | None:
        row = None if finding is None else known.get(finding)
        return None if row is None else _decision(row, change, made_at)

    return Material(
        made_at=made_at,
        project=project.name,
        scan={
            "id": str(scan.id),
            "project_id": str(scan.project_id),
            "branch": scan.branch,
            "commit": scan.commit,
            "kind": scan.kind,
            "sha256": scan.sha256,
            "engine": scan.engine,
            "sources": scan.sources or [ENGINE],
            "score": scan.score,
            "created_at": scan.created_at,
            "finished_at": scan.finished_at,
        },
        score=scan.score,
        gate=scan.gate,
        roots=[
            RootMaterial(
                each.path,
                each.report,
                [decision(*pair) for pair in told[each.id]],
                each.error,
                each.error_code,
                each.source,
            )
            for each in kept
        ],
    )


def _told(session: Session, scan: Scan, root: ScanRoot) -> list[tuple[UUID | None, str | None]]:
    """Which findings the report of a root speaks of: as it was written down, or as they are recognised now."""
    if root.report is None:
        return []
    if root.findings is not None:
        return [(UUID(finding), change) for finding, change in root.findings]
    statement = select(Branch).where(Branch.project_id == scan.project_id, Branch.name == scan.branch)
    branch = session.scalars(statement).one_or_none()
    seen = [Seen(root.path, document) for document in root.report["findings"]]
    found = [None] * len(seen) if branch is None else recognise(session, branch, seen, root.source)
    return [(each, None) for each in found]


def _findings(session: Session, wanted: set[UUID]) -> dict[UUID, Finding]:
    these = Finding.id == any_(literal(sorted(wanted), ARRAY(Uuid())))
    return {each.id: each for each in session.scalars(select(Finding).where(these))}


def _decision(row: Finding, change: str | None, now: datetime) -> Decision:
    is_accepted = row.triage == Triage.ACCEPTED and row.expires_at is not None and row.expires_at > now
    return Decision(
        finding_id=row.id,
        triage=row.triage,
        reason=row.reason,
        expires_at=row.expires_at,
        approved_by=row.approved_by,
        triaged_by=row.triaged_by,
        triaged_at=row.triaged_at,
        is_silenced=is_accepted or row.triage == Triage.FALSE_POSITIVE,
        change=change,
    )
