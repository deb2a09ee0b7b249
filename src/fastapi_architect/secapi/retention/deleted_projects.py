"""What is left of a project that somebody deleted: it goes in pieces, and the project with the last one.

The audit log stays. Nobody adds to such a project any more; a worker that is still busy with one of its scans finds it gone.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from fastapi_architect.components.audit_log import record

from ..branches.models import Branch
from ..findings.models import Finding
from ..projects.models import Project
from ..scans.completing import leave_archive
from ..scans.models import Scan

#: Rows of one transaction: a scan has the reports of its roots, and a finding its places and its history.
SCANS, FINDINGS, BRANCHES = 20, 200, 100


def delete_project_piecemeal(session: Session, after: timedelta) -> bool:
    """Delete a piece of the project that was deleted first; False: there is nothing to do now. The caller commits.

    Args:
        session: bound to the organisation.
        after: what was deleted more lately stays.
    """
    old = (
        select(Project)
        .where(Project.deleted_at < func.now() - after)
        .order_by(Project.deleted_at, Project.id)
        .limit(1)
    )
    project = session.scalars(old).one_or_none()
    if project is None:
        return False
    if any(delete_some(session, project.id) for delete_some in PIECES):
        return True
    if _scans_are_held(session, project.id):
        return False
    record(
        session,
        "project.purged",
        actor=None,
        tenant_id=project.tenant_id,
        subject_type="project",
        subject_id=project.id,
        details={"name": project.name},
    )
    # What other tables have of it goes with it.
    session.execute(delete(Project).where(Project.id == project.id))
    return True


def _delete_scans(session: Session, project_id: UUID) -> bool:
    # One that a worker has locked is passed over: it locks the project after its scan, and would wait for this one.
    some = (
        select(Scan)
        .where(Scan.project_id == project_id)
        .order_by(Scan.id)
        .limit(SCANS)
        .with_for_update(skip_locked=True)
    )
    scans = session.scalars(some).all()
    for scan in scans:
        leave_archive(session, scan)
    session.flush()
    session.execute(delete(Scan).where(Scan.id.in_([each.id for each in scans])))
    return bool(scans)


def _delete_findings(session: Session, project_id: UUID) -> bool:
    some = select(Finding.id).where(Finding.project_id == project_id).order_by(Finding.id).limit(FINDINGS)
    return bool(session.execute(delete(Finding).where(Finding.id.in_(some)).returning(Finding.id)).all())


def _delete_branches(session: Session, project_id: UUID) -> bool:
    some = select(Branch.id).where(Branch.project_id == project_id).order_by(Branch.id).limit(BRANCHES)
    return bool(session.execute(delete(Branch).where(Branch.id.in_(some)).returning(Branch.id)).all())


PIECES: Sequence[Callable[[Session, UUID], bool]] = (_delete_scans, _delete_findings, _delete_branches)


def _scans_are_held(session: Session, project_id: UUID) -> bool:
    return bool(session.scalars(select(Scan.id).where(Scan.project_id == project_id).limit(1)).all())
