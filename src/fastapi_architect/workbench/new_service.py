"""Make a production-grade service in a new folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.builder.naming import project_name
from fastapi_architect.builder.new import chosen, packages_needed, project_files, write_project
from fastapi_architect.builder.presets import PRESETS, components_of
from fastapi_architect.workbench.answer import Answer
from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.workspace import Workspace, refusing, shown

Preset = Literal["minimal", "standard", "saas"]


@dataclass(frozen=True)
class NewService(Answer):
    """A service that was made."""

    folder: str
    """where it is, relative to the served folder"""
    title: str
    components: tuple[str, ...]
    files: int
    next_steps: tuple[str, ...]
    """commands for the user, in that folder"""


def new_service(
    workspace: Workspace,
    name: str,
    *,
    preset: Preset = "minimal",
    more: Sequence[str] = (),
    without: Sequence[str] = (),
    path: str = "",
) -> NewService:
    """Make a service that runs, is tested, and is the user's, in a folder that is empty or not there.

    Args:
        workspace: below which folder it is made.
        name: of the service, such as bookshop.
        preset: components to begin with.
        more: further components.
        without: components of the preset to leave out.
        path: the folder, relative to the workspace; "" for one by the service's name.

    Raises:
        WorkbenchError: nothing was written; the message names the reason and the next step.
    """
    workspace.refuse_writing()
    if preset not in PRESETS:
        message = f"there is no preset {preset!r}; they are {', '.join(PRESETS)}"
        raise WorkbenchError(message)
    with refusing():
        catalog = load_catalog()
        specs = chosen(catalog, [*components_of(preset, catalog), *more], without)
        project = project_name(name, packages_needed(specs))
        files = project_files(project, specs)
    root = workspace.new_path(path or project.distribution)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        message = f"{shown(path or project.distribution)} is not empty; name another folder as `path`"
        raise WorkbenchError(message)
    with workspace.writing():
        write_project(root, files)
    return NewService(
        folder=workspace.name_of(root),
        title=project.title,
        components=tuple(spec.name for spec in specs),
        files=len(files),
        next_steps=(
            "git init && git add --all && git commit --message 'Begin': what is added later can then be undone",
            "make run: the whole service on this machine; prints its address and how to sign in",
            "make test: every test, on real servers",
        ),
    )
