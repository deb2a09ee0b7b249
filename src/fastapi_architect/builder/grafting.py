"""Components for a project that `architect new` did not make."""

from __future__ import annotations

from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.lock import LOCK
from fastapi_architect.builder.project import Project
from fastapi_architect.builder.site import Site


def graft(project: Project) -> Site:
    """Find the places.

    Raises:
        BuildError: the project was not made by `architect new`.
    """
    message = (
        f"{project.root} has no {LOCK}; make a project with `architect new`, or name its folder: --path PATH"
    )
    raise BuildError(message)
