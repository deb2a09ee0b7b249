"""What a branch is judged by, when somebody asks."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.cache import Cache, CachedValue
from fastapi_architect.components.problem_details import NotFound

from ..branches.models import Branch
from ..findings.models import Finding, FindingInBranch
from ..membership import Member
from ..projects.models import Project
from ..projects.repository import ProjectRepository
from .schemas import ClosingFinding, GateQuery, GateVerdict
from .verdict import Policy, closing, compared_with, counted, judge

#: Every change makes another key, but time: what is accepted until a moment may count as accepted for so long after it.
VERDICT = CachedValue("gate", GateVerdict, ttl=30)


class GateService:
    """Judges the branches of one organisation's projects."""

    def __init__(self, session: AsyncSession, member: Member, cache: Cache) -> None:
        self._session = session
        self._member = member
        self._cache = cache
        self._projects = ProjectRepository(session, member.tenant_id)

    async def judge(self, project_id: UUID, query: GateQuery) -> GateVerdict:
        """Return the verdict on a branch as it is now, with what people have decided since its last scan.

        Raises:
            NotFound: there is no such project, or the branch was never scanned.
        """
        project = await self._projects.get(project_id)
        name = query.branch or project.default_branch
        branch = await self._branch(project_id, name)
        if branch is None or branch.scan_id is None or branch.scanned_at is None:
            raise NotFound(f"No scan of the branch {name!r} has been done yet.")
        # Read before the findings are: what is loaded is as new as these versions, or newer. So nothing has to be forgotten
        # when something changes, and whoever sees a scan as done sees its verdict.
        key = VERDICT.key(
            project_id,
            project.version,
            project.results_version,
            branch.id,
            branch.version,
            query.limit,
            tenant=self._member.tenant_id,
        )
        return await self._cache.get_or_load(key, lambda: self._load(project, branch, query.limit))

    async def _load(self, project: Project, branch: Branch, limit: int) -> GateVerdict:
        policy = Policy.of(project)
        baseline = compared_with(policy, branch, project.default_branch)
        found = closing(project.id, branch.name, policy, baseline)
        counts = dict((await self._session.execute(counted(found))).all())
        verdict = judge(policy, baseline, counts)
        rows = (await self._session.execute(found.limit(limit))).all()
        return GateVerdict.model_validate(
            {
                "passed": verdict.passed,
                "branch": branch.name,
                "compared_with": verdict.compared_with,
                "compared_with_scan": None if baseline is None else baseline.scan_id,
                "severity": policy.severity,
                "counts": verdict.counts,
                "scan_id": branch.scan_id,
                "scanned_at": branch.scanned_at,
                "score": branch.score,
                "findings": [_published(finding, place) for finding, place in rows],
            }
        )

    async def _branch(self, project_id: UUID, name: str) -> Branch | None:
        statement = select(Branch).where(Branch.project_id == project_id, Branch.name == name)
        return (await self._session.execute(statement)).scalar_one_or_none()


def _published(finding: Finding, place: FindingInBranch) -> ClosingFinding:
    return ClosingFinding(
        id=finding.id,
        rule=finding.rule,
        title=finding.title,
        severity=finding.severity,
        confidence=finding.confidence,
        cwe=finding.cwe,
        cvss_score=finding.cvss_score,
        file=f"{place.root}/{place.file}" if place.root else place.file,
        line=place.line,
        is_proposed_ignored=place.is_proposed_ignored,
    )
