"""Which findings of a scan are new, which are still there, which are back, and which are fixed.

It happens in the transaction that completes the scan, under a lock of the branch, so that whoever reads a scan as done reads
findings that agree with it. Identity is the engine's own (`fastapi_architect.findings.fingerprint`): a finding survives lines
above it, a move, a renaming. What was not looked at is never called fixed.

Each source is matched by itself: what one tool says closes nothing that another one found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import insert, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from fastapi_architect.findings import fingerprint
from fastapi_architect.findings.fingerprint import Known
from fastapi_architect.findings.severity import Severity

from ..branches.models import Branch
from ..imports.sources import ENGINE
from ..scans.models import Scan, ScanState
from .models import Finding, FindingEvent, FindingInBranch, Presence


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding as a scan saw it.

    Attributes:
        root: the application root, "" for the top of the archive.
        document: what the report says of it.
        is_proposed_ignored: the archive asked to ignore it.
    """

    root: str
    document: Mapping[str, Any]
    is_proposed_ignored: bool = False

    @property
    def known(self) -> Known:
        """What identity is compared by: paths begin at the top of the archive."""
        path = f"{self.root}/{self.document['file']}" if self.root else str(self.document["file"])
        return Known(str(self.document["fingerprint"]), path, int(self.document["line"]))


@dataclass(frozen=True, slots=True)
class Looked:
    """What a scan looked at: a finding elsewhere stays as it was.

    Attributes:
        roots: application roots that were reviewed to their end.
        unread: files, from the top of the archive, that could not be analysed.
    """

    roots: frozenset[str]
    unread: frozenset[str] = frozenset()

    def at(self, place: FindingInBranch) -> bool:
        """Tell whether the finding would have been seen if it were still there."""
        path = f"{place.root}/{place.file}" if place.root else place.file
        return place.root in self.roots and path not in self.unread


@dataclass(frozen=True, slots=True)
class Said:
    """What one source says in a scan.

    Attributes:
        seen: every finding, most severe first.
        looked: what it looked at.
        source: who says it.
    """

    seen: Sequence[Seen]
    looked: Looked
    source: str = ENGINE


@dataclass(frozen=True, slots=True)
class Matched:
    """What a scan has changed: identifiers of findings, each list in the order of the report."""

    new: Sequence[UUID] = ()
    kept: Sequence[UUID] = ()
    reopened: Sequence[UUID] = ()
    fixed: Sequence[UUID] = ()
    #: Of every finding that the scan saw, as it stands in its report; none of a scan that came too late.
    seen: Sequence[UUID] = ()
    #: A newer scan of the branch, with the same source, ended before: this one changed nothing.
    is_outdated: bool = False

    @classmethod
    def together(cls, matched: Sequence["Matched"]) -> "Matched":
        """Return what several sources have changed; it came too late if all of them did."""

        def every(name: str) -> Sequence[UUID]:
            return tuple(chain.from_iterable(getattr(each, name) for each in matched))

        return cls(
            every("new"), every("kept"), every("reopened"), every("fixed"), every("seen"),
            all(each.is_outdated for each in matched),
        )  # fmt: skip


@dataclass(slots=True)
class _Plan:
    new: list[UUID] = field(default_factory=list)
    kept: list[UUID] = field(default_factory=list)
    reopened: list[UUID] = field(default_factory=list)
    fixed: list[UUID] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


def lock_branch(session: Session, tenant_id: UUID, project_id: UUID, name: str) -> Branch:
    """Return the branch, made where it is missing, locked until the transaction ends.

    Two scans of one branch that end at the same time end one after the other.
    """
    session.execute(
        upsert(Branch)
        .values(id=uuid7(), tenant_id=tenant_id, project_id=project_id, name=name)
        .on_conflict_do_nothing(index_elements=["project_id", "name"])
    )
    statement = select(Branch).where(Branch.project_id == project_id, Branch.name == name).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def match_scan(
    session: Session,
    branch: Branch,
    scan_id: UUID,
    submitted_at: datetime,
    said: Said,
) -> Matched:
    """Bring the findings of a branch up to date with what one source says in a scan.

    Args:
        session: a worker's, bound to the organisation; its caller commits.
        branch: as `lock_branch` gives it.
        scan_id: of the scan.
        submitted_at: of the scan; an older one than the branch's newest with this source changes nothing.
        said: by the source.
    """
    if _is_outdated(session, branch, submitted_at, said.source):
        return Matched(is_outdated=True)
    seen, looked = said.seen, said.looked
    known = _known(session, branch, said.source)
    here = [pair for pair in known if pair[1] is not None]
    pairs = _pair(known, seen)
    plan = _Plan()
    noted: list[UUID] = []
    for index, one in enumerate(seen):
        row, place = known[pairs[index]] if index in pairs else (None, None)
        noted.append(
            _note(session, plan, branch, scan_id, one, row or _new(session, branch, said.source), place)
        )
    met = set(noted)
    for row, place in here:
        if place is not None and row.id not in met and place.presence != Presence.FIXED and looked.at(place):
            place.presence = Presence.FIXED
            place.fixed_scan_id = scan_id
            plan.fixed.append(row.id)
            plan.events.append(_event(branch, row.id, "fixed", scan_id))
    session.flush()
    if plan.events:
        session.execute(insert(FindingEvent), plan.events)
    if branch.scanned_at is None or branch.scanned_at <= submitted_at:
        branch.scan_id, branch.scanned_at = scan_id, submitted_at
    return Matched(plan.new, plan.kept, plan.reopened, plan.fixed, noted)


def _is_outdated(session: Session, branch: Branch, submitted_at: datetime, source: str) -> bool:
    """Tell whether a newer scan has said what this source finds: one with other sources has not.

    An archive that takes long is not late because a file of another tool, which was submitted after it, is through already.
    """
    if branch.scanned_at is None or branch.scanned_at <= submitted_at:
        return False
    # Without sources: of a worker that knows of none but the engine.
    of_source = Scan.sources.contains([source])
    if source == ENGINE:
        of_source = or_(of_source, Scan.sources.is_(None))
    newer = select(Scan.id).where(
        Scan.project_id == branch.project_id,
        Scan.branch == branch.name,
        Scan.created_at > submitted_at,
        Scan.state == ScanState.DONE,
        of_source,
    )
    return bool(session.execute(select(newer.exists())).scalar_one())


def recognise(
    session: Session, branch: Branch, seen: Sequence[Seen], source: str = ENGINE
) -> list[UUID | None]:
    """Return which findings of a branch these are, and change nothing; None: none that is known.

    For scans that came too late to be matched: a scan that was matched has its own answer written down.

    Args:
        session: a worker's, bound to the organisation.
        branch: whose scan it was.
        seen: every finding of the scan.
        source: whose they are.
    """
    known = _known(session, branch, source)
    pairs = _pair(known, seen)
    return [known[pairs[index]][0].id if index in pairs else None for index in range(len(seen))]


def _known(session: Session, branch: Branch, source: str) -> list[tuple[Finding, FindingInBranch | None]]:
    """Every finding of a source in the project, and where it is in this branch."""
    statement = (
        select(Finding, FindingInBranch)
        .outerjoin(
            FindingInBranch,
            (FindingInBranch.finding_id == Finding.id) & (FindingInBranch.branch_id == branch.id),
        )
        .where(Finding.project_id == branch.project_id, Finding.source == source)
        .order_by(Finding.id)
    )
    return [(row, place) for row, place in session.execute(statement)]


def _pair(known: Sequence[tuple[Finding, FindingInBranch | None]], seen: Sequence[Seen]) -> dict[int, int]:
    """Index in `seen` to index in `known`: those that are open here first, then the fixed ones, then other branches'."""
    pairs: dict[int, int] = {}
    for wave in (_is_open_here, _is_fixed_here, _is_elsewhere):
        old = [index for index, (_, place) in enumerate(known) if wave(place)]
        new = [index for index in range(len(seen)) if index not in pairs]
        found = fingerprint.match(
            [_as_known(*known[index]) for index in old], [seen[index].known for index in new]
        )
        pairs |= {new[of_new]: old[of_old] for of_new, of_old in found.items()}
    return pairs


def _is_open_here(place: FindingInBranch | None) -> bool:
    return place is not None and place.presence != Presence.FIXED


def _is_fixed_here(place: FindingInBranch | None) -> bool:
    return place is not None and place.presence == Presence.FIXED


def _is_elsewhere(place: FindingInBranch | None) -> bool:
    return place is None


def _as_known(row: Finding, place: FindingInBranch | None) -> Known:
    root, file, line = (row.root, "", 0) if place is None else (place.root, place.file, place.line)
    return Known(row.fingerprint, f"{root}/{file}" if root else file, line)


def _note(
    session: Session,
    plan: _Plan,
    branch: Branch,
    scan_id: UUID,
    one: Seen,
    row: Finding,
    place: FindingInBranch | None,
) -> UUID:
    """Write down one finding of the scan, and return its identifier."""
    _describe(row, one)
    if place is None:
        place = FindingInBranch(
            tenant_id=branch.tenant_id, finding_id=row.id, branch_id=branch.id, first_scan_id=scan_id
        )
        place.presence = Presence.OPEN
        session.add(place)
        plan.new.append(row.id)
        plan.events.append(_event(branch, row.id, "found", scan_id))
    elif place.presence == Presence.FIXED:
        place.presence, place.fixed_scan_id = Presence.REOPENED, None
        plan.reopened.append(row.id)
        plan.events.append(_event(branch, row.id, "reopened", scan_id))
    else:
        plan.kept.append(row.id)
    place.last_scan_id = scan_id
    place.root = one.root
    place.file, place.line = str(one.document["file"]), int(one.document["line"])
    place.is_proposed_ignored = one.is_proposed_ignored
    place.document = dict(one.document)
    return row.id


def _new(session: Session, branch: Branch, source: str) -> Finding:
    row = Finding(id=uuid7(), tenant_id=branch.tenant_id, project_id=branch.project_id, source=source)
    session.add(row)
    return row


def _describe(row: Finding, one: Seen) -> None:
    document = one.document
    row.root = one.root
    for name in ("fingerprint", "rule", "title", "category", "severity", "confidence", "cwe", "cvss_score"):
        value = document.get(name)
        if getattr(row, name) != value:
            setattr(row, name, value)
    row.severity_rank = Severity(document["severity"]).rank


def _event(branch: Branch, finding_id: UUID, kind: str, scan_id: UUID) -> dict[str, Any]:
    return {
        "tenant_id": branch.tenant_id,
        "finding_id": finding_id,
        "kind": kind,
        "scan_id": scan_id,
        "actor_id": None,
        "details": {"branch": branch.name},
    }
