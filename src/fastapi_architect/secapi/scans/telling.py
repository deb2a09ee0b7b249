"""What webhooks tell of scans and gates, in the transaction that ends or changes them: small, with identifiers and links, and no code.

Links are paths below the address of the service, which knows no other name of itself than the one that a caller used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import Uuid, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from fastapi_architect.components.webhooks import send_webhook

from ..branches.models import Branch
from ..findings.matching import Matched
from ..findings.models import Finding
from ..gates.verdict import Verdict
from .models import Scan, ScanState

COMPLETED, FAILED, CANCELLED = "scan.completed", "scan.failed", "scan.cancelled"
GATE_CHANGED = "gate.changed"
OPENED, REOPENED = "finding.opened", "finding.reopened"
#: What endpoints can subscribe to.
EVENTS: Mapping[str, str] = MappingProxyType(
    {
        COMPLETED: "A scan has ended, and what it found is known.",
        FAILED: "A scan has ended without a result, and `error_code` says why.",
        CANCELLED: "A scan was cancelled.",
        GATE_CHANGED: "The gate of a branch was closed, or opened again: by a scan, by a decision, or because one has ended.",
        OPENED: "A scan has found what its branch did not have: how much, and the gravest of it.",
        REOPENED: "A scan has found again what was fixed in its branch: how much, and the gravest of it.",
    }
)
_OF_STATE = {
    ScanState.DONE: COMPLETED,
    ScanState.FAILED: FAILED,
    ScanState.DEAD: FAILED,
    ScanState.CANCELLED: CANCELLED,
}
#: Findings that one message names; the link leads to all of them.
NAMED = 20


class Cause(StrEnum):
    """What changes the gate of a branch."""

    SCAN = "scan"
    #: Somebody decided about findings.
    DECISION = "decision"
    #: Findings were accepted until a moment that has passed.
    EXPIRY = "expiry"


@dataclass(frozen=True, slots=True)
class Place:
    """What is told of: a branch as a scan left it; the scan may have been deleted since."""

    tenant_id: UUID
    project_id: UUID
    branch: str
    scan_id: UUID | None
    commit: str | None

    @classmethod
    def of(cls, scan: Scan) -> "Place":
        """Return the branch of a scan, with that scan."""
        return cls(scan.tenant_id, scan.project_id, scan.branch, scan.id, scan.commit)


def tell_end(session: AsyncSession | Session, scan: Scan) -> None:
    """Tell that a scan has ended, however it did. The caller commits.

    Args:
        session: bound to the organisation.
        scan: in a final state.
    """
    state = ScanState(scan.state)
    told = {"state": state, "score": scan.score, "counts": scan.counts, "error_code": scan.error_code}
    _tell(session, Place.of(scan), _OF_STATE[state], told)


def tell_gate(
    session: Session, scan: Scan | None, branch: Branch, verdict: Verdict, cause: Cause = Cause.SCAN
) -> bool:
    """Tell whether the gate of a branch has changed, and remember how it is now. A branch begins with an open one.

    Args:
        session: bound to the organisation.
        scan: the newest of the branch that is done; None: it was deleted.
        branch: locked, so that of two that change it one after the other tells.
        verdict: on it.
        cause: what changes it.

    Returns:
        Whether it has changed.
    """
    before, branch.gate_passed = branch.gate_passed is not False, verdict.passed
    # The clock of the database, as everywhere: what the verdict has counted as accepted ends later than this.
    now: Any = func.now()
    branch.gate_judged_at = now
    if before == verdict.passed:
        return False
    place = Place.of(scan) if scan else Place(branch.tenant_id, branch.project_id, branch.name, None, None)
    words = {True: "passed", False: "failed"}
    told = {
        "verdict": words[verdict.passed],
        "previous": words[before],
        "closed_by": verdict.counts,
        "cause": cause,
    }
    _tell(session, place, GATE_CHANGED, told)
    return True


def tell_findings(session: Session, scan: Scan, matched: Matched) -> None:
    """Tell what a scan has found that was not there before.

    Args:
        session: a worker's, bound to the organisation.
        scan: that has ended.
        matched: what it has changed.
    """
    for event, found in ((OPENED, matched.new), (REOPENED, matched.reopened)):
        if found:
            _tell(session, Place.of(scan), event, _summary(session, found))


def _summary(session: Session, found: Sequence[UUID]) -> dict[str, Any]:
    these = Finding.id == any_(literal(list(found), ARRAY(Uuid())))
    counted = select(Finding.severity, func.count()).where(these).group_by(Finding.severity)
    gravest = session.scalars(
        select(Finding).where(these).order_by(Finding.severity_rank.desc(), Finding.id).limit(NAMED)
    )
    return {
        "count": len(found),
        "counts": dict(sorted(session.execute(counted).all())),
        "findings": [
            {
                "id": str(each.id),
                "rule": each.rule,
                "severity": each.severity,
                "cwe": each.cwe,
                "link": f"/api/v1/findings/{each.id}",
            }
            for each in gravest
        ],
    }


def _tell(session: AsyncSession | Session, place: Place, event: str, told: Mapping[str, Any]) -> None:
    branch, project = quote(place.branch, safe=""), f"/api/v1/projects/{place.project_id}"
    data = {
        "scan_id": None if place.scan_id is None else str(place.scan_id),
        "project_id": str(place.project_id),
        "branch": place.branch,
        "commit": place.commit,
        **told,
        "links": {
            **({} if place.scan_id is None else {"scan": f"/api/v1/scans/{place.scan_id}"}),
            "findings": f"{project}/findings?branch={branch}",
            "gate": f"{project}/gate?branch={branch}",
        },
    }
    send_webhook(session, event, data, owner_id=place.tenant_id)
