"""Queries for branches."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.database import Order, Repository, contains

from ..projects.models import Project
from .models import Branch


class BranchRepository(Repository[Branch]):
    """Finds and lists the branches of one project."""

    model = Branch
    orders: ClassVar = {
        "name": Order(Branch.name),
        "newest": Order(Branch.created_at, descending=True),
    }
    filters: ClassVar = {
        "name": contains(Branch.name),
        "archived": lambda archived: (
            Branch.archived_at.is_not(None) if archived else Branch.archived_at.is_(None)
        ),
    }
    missing: ClassVar = "There is no such branch."

    def __init__(self, session: AsyncSession, tenant_id: UUID, project_id: UUID) -> None:
        super().__init__(session)
        self._tenant_id = tenant_id
        self._project_id = project_id

    def visible(self) -> Select[Branch]:
        """Return the query that every other one begins with: of a project that was not deleted."""
        return (
            super()
            .visible()
            .join(Project, Project.id == Branch.project_id)
            .where(
                Branch.project_id == self._project_id,
                Branch.tenant_id == self._tenant_id,
                Project.deleted_at.is_(None),
            )
        )

    async def named(self, name: str) -> Branch | None:
        """Return the branch of this name."""
        return (await self._session.execute(self.visible().where(Branch.name == name))).scalar_one_or_none()
