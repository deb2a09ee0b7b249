"""When what is known about the findings of a project has changed."""

from uuid import UUID

from sqlalchemy import Update, update

from .models import Project


def results_changed(project_id: UUID) -> Update:
    """Return the statement that says so, the last one of a transaction: its row is locked until the commit.

    It changes nothing that members see of the project, nor its ETag.
    """
    return (
        update(Project)
        .where(Project.id == project_id)
        .values(results_version=Project.results_version + 1, updated_at=Project.updated_at)
        .execution_options(synchronize_session=False)
    )
