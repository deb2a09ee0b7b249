"""The verdict on a branch: the same statement for a worker that completes a scan and for a request that asks later."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from fastapi_architect.findings.severity import Severity

from ..branches.models import Branch
from ..findings.models import Finding, FindingEvent, FindingInBranch, Presence, Triage
from ..projects.models import GateSeverity, Project

#: What is only suspected closes no gate.
COUNTED_CONFIDENCE = ("certain", "firm")


@dataclass(frozen=True, slots=True)
class Policy:
    """By what a branch is judged."""

    severity: GateSeverity
    new_only: bool
    accepts_archive_suppressions: bool

    @classmethod
    def of(cls, project: Project) -> "Policy":
        """Return the policy of a project."""
        return cls(
            GateSeverity(project.gate_severity),
            project.gate_new_only,
            project.accepts_archive_suppressions,
        )


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a branch is compared with: another one as it is now, or as one of its scans left it.

    Attributes:
        branch: its name.
        scan_id: of the scan, such as that of the commit from which the branch was begun.
        at: when that scan ended.
    """

    branch: str
    scan_id: UUID | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the gate is open, and how many findings close it."""

    policy: Policy
    baseline: Baseline | None
    counts: dict[str, int]

    @property
    def compared_with(self) -> str | None:
        """The name of the branch that it is compared with."""
        return None if self.baseline is None else self.baseline.branch

    @property
    def passed(self) -> bool:
        """Whether nothing closes the gate."""
        return not self.counts

    def document(self) -> dict[str, Any]:
        """Return it as it is kept beside a scan."""
        return {
            "passed": self.passed,
            "counts": self.counts,
            "severity": self.policy.severity,
            "compared_with": self.compared_with,
        }


def compared_with(policy: Policy, branch: Branch, default_branch: str) -> Baseline | None:
    """Return what the findings of a branch are compared with; None: all of them are counted.

    The default branch is compared with nothing, unless somebody chose a scan of it: if its own last scan were what counts,
    scanning it twice would open the gate.
    """
    if not policy.new_only:
        return None
    if branch.baseline is not None:
        return Baseline(branch.baseline, branch.baseline_scan_id, branch.baseline_at)
    return Baseline(default_branch) if branch.name != default_branch else None


def closing(
    project_id: UUID, branch: str, policy: Policy, baseline: Baseline | None
) -> Select[Finding, FindingInBranch]:
    """Return the findings that close the gate of a branch, gravest first.

    Args:
        project_id: of the branch.
        branch: its name.
        policy: by which it is judged.
        baseline: what it is compared with: findings that were open there are not counted.
    """
    return (
        select(Finding, FindingInBranch)
        .join(FindingInBranch, FindingInBranch.finding_id == Finding.id)
        .join(Branch, Branch.id == FindingInBranch.branch_id)
        .where(Branch.project_id == project_id, Branch.name == branch, *_counts(policy))
        .where(*([] if baseline is None else [~_is_in(project_id, baseline)]))
        .order_by(Finding.severity_rank.desc(), Finding.id)
    )


def counted(found: Select[Finding, FindingInBranch]) -> Select[str, int]:
    """Return how many findings of each severity close the gate."""
    return found.order_by(None).with_only_columns(Finding.severity, func.count()).group_by(Finding.severity)


def judge(policy: Policy, baseline: Baseline | None, counts: Mapping[str, int]) -> Verdict:
    """Return the verdict, given how many findings of each severity close the gate."""
    order = sorted(Severity, key=lambda one: one.rank, reverse=True)
    return Verdict(
        policy, baseline, {each.value: counts[each.value] for each in order if counts.get(each.value)}
    )


def verdict_on(session: Session, project: Project, branch: Branch) -> Verdict:
    """Return the verdict on a branch as it is in this transaction."""
    policy = Policy.of(project)
    baseline = compared_with(policy, branch, project.default_branch)
    found = closing(project.id, branch.name, policy, baseline)
    return judge(policy, baseline, dict(session.execute(counted(found)).all()))


def _counts(policy: Policy) -> list[ColumnElement[bool]]:
    """What a finding has to be to close the gate."""
    if policy.severity is GateSeverity.NONE:
        return [Finding.id.is_(None)]
    accepted = and_(Finding.triage == Triage.ACCEPTED, Finding.expires_at > func.now())
    conditions: list[ColumnElement[bool]] = [
        FindingInBranch.presence != Presence.FIXED,
        Finding.severity_rank >= Severity(policy.severity).rank,
        Finding.confidence.in_(COUNTED_CONFIDENCE),
        Finding.triage != Triage.FALSE_POSITIVE,
        # Without a day nothing is accepted, and what is compared with NULL would be no row at all.
        or_(Finding.expires_at.is_(None), ~accepted),
    ]
    if policy.accepts_archive_suppressions:
        conditions.append(FindingInBranch.is_proposed_ignored.is_(False))
    return conditions


def _is_in(project_id: UUID, baseline: Baseline) -> ColumnElement[bool]:
    if baseline.at is None:
        return _is_open_in(project_id, baseline.branch)
    return _was_open_in(baseline.branch, baseline.at)


def _was_open_in(branch: str, at: datetime) -> ColumnElement[bool]:
    """Tell by the history, which is never deleted: the last thing that a scan of the branch said until then.

    What a scan says has the moment at which its transaction began, and so has its end.
    """
    last = (
        select(FindingEvent.kind)
        .where(
            FindingEvent.finding_id == Finding.id,
            FindingEvent.kind.in_(["found", "fixed", "reopened"]),
            FindingEvent.details["branch"].astext == branch,
            FindingEvent.at <= at,
        )
        .order_by(FindingEvent.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(last != "fixed", false())


def _is_open_in(project_id: UUID, branch: str) -> ColumnElement[bool]:
    there, other = aliased(FindingInBranch), aliased(Branch)
    return (
        select(there.id)
        .join(other, other.id == there.branch_id)
        .where(
            there.finding_id == Finding.id,
            other.project_id == project_id,
            other.name == branch,
            there.presence != Presence.FIXED,
        )
        .exists()
    )
