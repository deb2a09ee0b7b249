"""What webhooks tell of scans, in the transaction that ends them: small, with identifiers and links, and no code.

Links are paths below the address of the service, which knows no other name of itself than the one that a caller used.
"""

from collections.abc import Mapping, Sequence
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
        GATE_CHANGED: "A scan has closed the gate of its branch, or opened it again.",
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


def tell_end(session: AsyncSession | Session, scan: Scan) -> None:
    """Tell that a scan has ended, however it did. The caller commits.

    Args:
        session: bound to the organisation.
        scan: in a final state.
    """
    state = ScanState(scan.state)
    told = {"state": state, "score": scan.score, "counts": scan.counts, "error_code": scan.error_code}
    _tell(session, scan, _OF_STATE[state], told)


def tell_gate(session: Session, scan: Scan, branch: Branch, verdict: Verdict) -> None:
    """Tell whether the gate of a branch has changed, and remember how it is now. A branch begins with an open one.

    Args:
        session: a worker's, bound to the organisation.
        scan: that has ended.
        branch: locked; the scan is its newest.
        verdict: on it.
    """
    before, branch.gate_passed = branch.gate_passed is not False, verdict.passed
    if before != verdict.passed:
        words = {True: "passed", False: "failed"}
        told = {"verdict": words[verdict.passed], "previous": words[before], "closed_by": verdict.counts}
        _tell(session, scan, GATE_CHANGED, told)


def tell_findings(session: Session, scan: Scan, matched: Matched) -> None:
    """Tell what a scan has found that was not there before.

    Args:
        session: a worker's, bound to the organisation.
        scan: that has ended.
        matched: what it has changed.
    """
    for event, found in ((OPENED, matched.new), (REOPENED, matched.reopened)):
        if found:
            _tell(session, scan, event, _summary(session, found))


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


def _tell(session: AsyncSession | Session, scan: Scan, event: str, told: Mapping[str, Any]) -> None:
    branch, project = quote(scan.branch, safe=""), f"/api/v1/projects/{scan.project_id}"
    data = {
        "scan_id": str(scan.id),
        "project_id": str(scan.project_id),
        "branch": scan.branch,
        "commit": scan.commit,
        **told,
        "links": {
            "scan": f"/api/v1/scans/{scan.id}",
            "findings": f"{project}/findings?branch={branch}",
            "gate": f"{project}/gate?branch={branch}",
        },
    }
    send_webhook(session, event, data, owner_id=scan.tenant_id)
