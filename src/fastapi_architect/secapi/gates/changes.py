"""When a decision about findings, or its end, closes the gate of a branch or opens it again.

It is told in the transaction that changes it, once for each branch, as scans do: branches are locked before findings, here and
there, so that nobody waits in a circle, and whoever comes second sees what the first has told.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from ..branches.models import Branch
from ..findings.models import Finding, FindingInBranch, Presence, Triage
from ..projects.models import Project
from ..projects.results import results_changed
from ..scans.models import Scan
from ..scans.telling import Cause, tell_gate
from .verdict import verdict_on

#: Branches whose acceptances have ended that are looked at in one transaction.
AT_ONCE = 50
#: What a finding is that can close a gate, whatever else is decided about it.
_LOUD = (Triage.OPEN, Triage.CONFIRMED)


def may_change_gates(before: str, after: str) -> bool:
    """Tell whether a decision can change a verdict: from one loud triage to another, or none at all, it cannot."""
    if before in _LOUD and after in _LOUD:
        return False
    return not before == after == Triage.FALSE_POSITIVE


def lock_branches_of(session: Session, finding_ids: Collection[UUID]) -> Sequence[Branch]:
    """Return the branches in which some findings are, locked until the transaction ends.

    Args:
        session: bound to the organisation.
        finding_ids: of the findings, which are locked afterwards and not before.
    """
    return _locked(
        session,
        FindingInBranch.finding_id.in_(finding_ids),
        FindingInBranch.presence != Presence.FIXED,
    )


def tell_decided(session: Session, project_id: UUID, finding_ids: Collection[UUID]) -> None:
    """Tell which gates decisions about findings have changed. The caller has locked, flushed, and commits.

    Args:
        session: bound to the organisation.
        project_id: of the findings.
        finding_ids: of those that were decided about, locked.
    """
    # Again: a scan may have brought one of them into another branch before they were locked.
    _tell(
        session, session.get_one(Project, project_id), lock_branches_of(session, finding_ids), Cause.DECISION
    )


def tell_expired(session: Session) -> int:
    """Tell which gates have changed because something is no longer accepted; return how many branches were looked at.

    Args:
        session: a worker's, bound to the organisation; its caller commits.
    """
    branches = _locked(
        session,
        Branch.scan_id.is_not(None),
        FindingInBranch.presence != Presence.FIXED,
        Finding.triage == Triage.ACCEPTED,
        Finding.expires_at <= func.now(),
        # Whoever judges later has counted it already.
        or_(Branch.gate_judged_at.is_(None), Finding.expires_at > Branch.gate_judged_at),
        most=AT_ONCE,
    )
    for project_id in sorted({each.project_id for each in branches}):
        project = session.get_one(Project, project_id)
        _tell(session, project, [each for each in branches if each.project_id == project_id], Cause.EXPIRY)
        session.flush()
        session.execute(results_changed(project_id))
    return len(branches)


def _locked(session: Session, *conditions: ColumnElement[bool], most: int | None = None) -> Sequence[Branch]:
    wanted = (
        select(FindingInBranch.id)
        .join(Finding, Finding.id == FindingInBranch.finding_id)
        .where(FindingInBranch.branch_id == Branch.id, *conditions)
        .correlate(Branch)
        .exists()
    )
    statement = (
        select(Branch)
        # Nobody works on what was put away; the scan that takes it back tells.
        .where(Branch.archived_at.is_(None), wanted)
        .order_by(Branch.id)
        .limit(most)
        .with_for_update(of=Branch)
        .execution_options(populate_existing=True)
    )
    return session.scalars(statement).all()


def _tell(session: Session, project: Project, branches: Sequence[Branch], cause: Cause) -> None:
    if project.deleted_at is not None:
        return
    for branch in branches:
        scan = None if branch.scan_id is None else session.get(Scan, branch.scan_id)
        tell_gate(session, scan, branch, verdict_on(session, project, branch), cause)
