"""Queries for projects."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.database import Order, Repository, contains

from .models import Project


class ProjectRepository(Repository[Project]):
    """Finds, lists, adds and deletes the projects of one organisation."""

    model = Project
    orders: ClassVar = {
        "newest": Order(Project.created_at, descending=True),
        "name": Order(Project.name),
    }
    filters: ClassVar = {"name": contains(Project.name)}
    missing: ClassVar = "There is no such project."
    duplicate: ClassVar = "There is a project of this name."

    def __init__(self, session: AsyncSession, tenant_id: UUID) -> None:
        super().__init__(session)
        self._tenant_id = tenant_id

    def visible(self) -> Select[Project]:
        """Return the query that every other one begins with."""
        return super().visible().where(Project.tenant_id == self._tenant_id)
