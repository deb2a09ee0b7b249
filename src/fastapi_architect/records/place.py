"""Where a project keeps its records: in the folder that is there, or in the one that it configured."""

from __future__ import annotations

from pathlib import Path

import msgspec

from fastapi_architect.records.errors import RecordError

#: Folders that projects keep decision records in; the first one is made where none is there.
DECISIONS = (
    "docs/decisions",
    "docs/adr",
    "docs/adrs",
    "docs/ADR",
    "docs/architecture/decisions",
    "docs/architecture/adr",
    "docs/architecture-decisions",
    "docs/architectural-decisions",
    "doc/adr",
    "doc/decisions",
    "doc/architecture/decisions",
    "architecture/decisions",
    "history/adr",
    "adr",
    "adrs",
    "decisions",
)
#: The same of prompt records.
PROMPTS = ("docs/prompts", "history/prompts", ".architect/prompts")
#: The file in which adr-tools keeps the folder's name.
_ADR_TOOLS = ".adr-dir"
_LONGEST_NAME = 512


class Folder(msgspec.Struct, frozen=True):
    """A folder of records.

    Attributes:
        root: the folder that nothing is written outside of, without symbolic links.
        path: the records' folder, which may not be there yet.
    """

    root: Path
    path: Path

    @property
    def shown(self) -> str:
        """The folder as people of the project name it."""
        return self.path.relative_to(self.root).as_posix()


def decisions_folder(start: Path, configured: str = "", *, within: Path | None = None) -> Folder:
    """Where decision records belong.

    Args:
        start: a folder of the project, or a file in it.
        configured: `records.decisions` of the configuration, relative to the project.
        within: the folder that may not be left; None: the repository's, else the project's.

    Raises:
        RecordError: it lies outside of the project, or something else is there.
    """
    root, project = _bounds(start, within)
    if not configured:
        for folder in _upwards(project, root):
            named = folder / _ADR_TOOLS
            if named.is_file() and not named.is_symlink():
                text = named.read_bytes()[:_LONGEST_NAME].decode("utf-8", "replace").strip()
                if text:
                    return _checked(root, folder / text, f"{_ADR_TOOLS} names {text!r}, which")
    return _found(root, project, configured, DECISIONS)


def prompts_folder(start: Path, configured: str = "", *, within: Path | None = None) -> Folder:
    """Where prompt records belong; arguments and errors as of `decisions_folder`."""
    root, project = _bounds(start, within)
    return _found(root, project, configured, PROMPTS)


def _found(root: Path, project: Path, configured: str, usual: tuple[str, ...]) -> Folder:
    if configured:
        return _checked(root, project / configured, repr(configured))
    for folder in _upwards(project, root):
        for name in usual:
            if (folder / name).is_dir():
                return _checked(root, folder / name, repr(name))
    return _checked(root, project / usual[0], repr(usual[0]))


def _bounds(start: Path, within: Path | None) -> tuple[Path, Path]:
    """The folder that may not be left, and the project's: the nearest with a pyproject.toml."""
    folder = start.resolve()
    if not folder.exists():
        message = f"{start} is not there; name the folder of the project: --path DIR"
        raise RecordError(message)
    if folder.is_file():
        folder = folder.parent
    limit = within.resolve() if within else None
    top = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)
    project = next(
        (each for each in _upwards(folder, limit or top or folder) if (each / "pyproject.toml").is_file()),
        limit or top or folder,
    )
    root = limit or top or project
    return root, project


def _upwards(folder: Path, top: Path) -> list[Path]:
    """The folder and those above it, up to `top`."""
    return [each for each in (folder, *folder.parents) if each.is_relative_to(top)]


def _checked(root: Path, path: Path, named: str) -> Folder:
    """A folder that lies inside of the project, followed through its links.

    Raises:
        RecordError: it does not, or a file is there.
    """
    try:
        real = path.resolve()
        is_other = path.exists() and not path.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        message = f"{named} is no folder: {error}; name one inside of the project in [tool.fastapi-architect.records]"
        raise RecordError(message) from error
    if not real.is_relative_to(root):
        message = (
            f"{named} lies outside of {root}; name a folder inside of it in [tool.fastapi-architect.records]"
        )
        raise RecordError(message)
    if is_other:
        message = f"{named} is a file; name a folder in [tool.fastapi-architect.records]"
        raise RecordError(message)
    return Folder(root, real)
