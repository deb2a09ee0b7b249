"""Files that were named one by one, as a commit hook does: the project of each, and what has gone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from fastapi_architect.cli.errors import UsageError
from fastapi_architect.review.pipeline import project_of
from fastapi_architect.source.tree import printable


class ProjectFiles(msgspec.Struct, frozen=True):
    """Files of one project.

    Attributes:
        root: its folder, as it was given, or absolute.
        files: names of the files below it, with forward slashes; None for all.
    """

    root: Path
    files: frozenset[str] | None


class Given(msgspec.Struct, frozen=True):
    """What is there to review; `gone` are files that the last commit has and the disk no longer."""

    projects: tuple[ProjectFiles, ...]
    gone: tuple[Path, ...]


def by_project(files: Sequence[Path], project: Path | None) -> Given:
    """Divide files by the project that each belongs to, in the order in which projects first appear.

    Args:
        files: as given, relative to the working directory or absolute.
        project: the folder that all have to lie in; None to take the nearest project of each.

    Raises:
        UsageError: a file was never there, is a folder, or lies outside the project.
    """
    found: dict[Path, set[str]] = {}
    gone = []
    for file in files:
        if file.is_dir():
            message = f"{_shown(file)} is a folder; name one folder, or any number of files"
            raise UsageError(message)
        if not file.exists():
            if not was_committed(file):
                message = f"there is nothing at {_shown(file)}, and the last commit has no such file; quote a path that holds spaces"
                raise UsageError(message)
            gone.append(file)
            continue
        root, name = _placed(file, project)
        found.setdefault(root, set()).add(name)
    projects = tuple(ProjectFiles(root, frozenset(names)) for root, names in found.items())
    return Given(projects, tuple(gone))


def _placed(file: Path, project: Path | None) -> tuple[Path, str]:
    """The project of a file, and the file's name in it."""
    absolute = Path(os.path.normpath(file.absolute()))
    if project is None:
        root, name = project_of(absolute)
        return root, name or absolute.name
    for path, root in (
        (absolute, Path(os.path.normpath(project.absolute()))),
        (file.resolve(), project.resolve()),
    ):
        if path.is_relative_to(root):
            return project, path.relative_to(root).as_posix()
    message = (
        f"{_shown(file)} lies outside {project}; leave --project out, and each file's own project is found"
    )
    raise UsageError(message)


def was_committed(file: Path) -> bool:
    """The last commit has the file, whether or not it is still there."""
    folder = next((each for each in file.absolute().parents if each.is_dir()), Path())
    name = file.absolute().relative_to(folder).as_posix()
    command = [
        "git",
        "--no-optional-locks",
        "-C",
        str(folder),
        "-c",
        "core.fsmonitor=false",
        "cat-file",
        "-e",
        f"HEAD:./{name}",
    ]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _shown(file: Path) -> str:
    return printable(str(file))
