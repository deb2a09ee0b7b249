"""What may happen to projects. Nothing here knows HTTP."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.audit_log import record
from fastapi_architect.components.database import SeenVersion, Slice

from ..membership import Member
from .models import Project
from .repository import ProjectRepository
from .schemas import NewProject, ProjectChange, ProjectQuery


class ProjectService:
    """Begins, reads, changes and deletes the projects of one organisation."""

    def __init__(self, session: AsyncSession, member: Member) -> None:
        self._session = session
        self._member = member
        self._projects = ProjectRepository(session, member.tenant_id)

    async def begin(self, new: NewProject) -> Project:
        """Begin a project.

        Raises:
            Conflict: there is one of this name.
        """
        project = Project(tenant_id=self._member.tenant_id, **new.model_dump())
        await self._projects.add(project)
        self._record("project.created", project)
        await self._session.commit()
        return project

    async def list(self, query: ProjectQuery) -> Slice[Project]:
        """Return a page of the projects.

        Raises:
            InvalidInput: the cursor is not one of this list in this order.
        """
        return await self._projects.list(query)

    async def read(self, project_id: UUID) -> Project:
        """Return a project.

        Raises:
            NotFound: there is none, or it is another organisation's.
        """
        return await self._projects.get(project_id)

    async def change(self, project_id: UUID, seen: SeenVersion, change: ProjectChange) -> Project:
        """Change the fields that were sent.

        Raises:
            NotFound: there is none.
            PreconditionFailed: it was changed after the caller read it.
            Conflict: another project has the name.
        """
        project = await self._projects.get(project_id)
        seen.require(project)
        sent = change.model_dump(exclude_unset=True)
        before = {name: getattr(project, name) for name in sorted(sent)}
        for name in type(change).model_fields:
            if name in sent:
                setattr(project, name, sent[name])
        await self._projects.add(project)
        # The gate stands among these: who lowered it, and from where.
        self._record("project.changed", project, before=before, after={name: sent[name] for name in before})
        await self._session.commit()
        return project

    async def delete(self, project_id: UUID, seen: SeenVersion) -> None:
        """Delete a project: its rows stay until retention takes them, and nobody sees it any more.

        Raises:
            NotFound: there is none.
            PreconditionFailed: it was changed after the caller read it.
        """
        project = await self._projects.get(project_id)
        seen.require(project)
        await self._projects.soft_delete(project)
        self._record("project.deleted", project)
        await self._session.commit()

    def _record(self, action: str, project: Project, **details: object) -> None:
        record(
            self._session,
            action,
            actor=self._member.principal,
            subject_type="project",
            subject_id=project.id,
            details={"name": project.name, **details},
        )
