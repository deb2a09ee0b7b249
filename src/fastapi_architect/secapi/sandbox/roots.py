"""Application roots of an archive: what `architect review PATH` would be called with, once or several times.

An archive with one application, or with several that share code, is one root, as its imports only work out together.
Several applications that know nothing of each other (a monorepo of services) are a root each, and what lies beside them is
one more.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from fastapi_architect.review.pipeline import PROJECT_MARKS
from fastapi_architect.secapi.archives.unpacked import Unpacked
from fastapi_architect.source.kinds import kind_of
from fastapi_architect.source.tree import SourceTree, StoredFiles, Unreadable

_APPLICATION = re.compile(rb"\b(?:FastAPI|Starlette)\s*\(")
_IMPORT = re.compile(rb"^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_MAX_ROOTS = 200
#: What is looked at to tell whether applications share code runs in the service itself. More than this is one root.
_MAX_FILES, _MAX_DEPTH = 20_000, 8


class Root(msgspec.Struct, frozen=True, order=True):
    """One application root.

    Attributes:
        path: its folder in the archive, "" for the top.
        without: folders below it that are roots of their own.
    """

    path: str
    without: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        """Whether a file of the archive belongs to the root."""
        return _is_below(path, self.path) and not any(_is_below(path, folder) for folder in self.without)


def roots_of(unpacked: Unpacked) -> tuple[Root, ...]:
    """The application roots, sorted; at least one, whatever the archive holds."""
    projects = _projects(unpacked)
    applications = sorted(folder for folder, files in projects.items() if _has_application(unpacked, files))
    if len(applications) < 2 or len(applications) > _MAX_ROOTS or _share_code(unpacked, applications):
        return (Root(""),)
    roots = [Root(folder, tuple(_inside(applications, folder))) for folder in applications]
    if "" not in applications:
        rest = Root("", tuple(applications))
        if any(path.endswith(".py") and rest.holds(path) for path in unpacked.files):
            roots.insert(0, rest)
    return tuple(roots)


def tree_of(unpacked: Unpacked, root: Root, excluded: Mapping[str, str]) -> SourceTree:
    """The files of a root as the engine reads them, by paths relative to it.

    Args:
        unpacked: the archive.
        root: the root.
        excluded: files, relative to the root, that are not to be analysed, and why.
    """
    cut = len(root.path) + 1 if root.path else 0
    files = {path[cut:]: stored for path, stored in unpacked.files.items() if root.holds(path)}
    for path in excluded:
        files.pop(path, None)
    missing = [Unreadable(each.path[cut:], each.reason) for each in unpacked.skipped if root.holds(each.path)]
    missing += [Unreadable(path, reason) for path, reason in excluded.items()]
    name = Path("/", unpacked.top, root.path)
    return SourceTree.of_stored(name, StoredFiles(Path(unpacked.place), files), missing)


def _projects(unpacked: Unpacked) -> dict[str, list[str]]:
    """Python files by the nearest folder upwards that looks like a project."""
    folders = {
        path.rpartition("/")[0] for path in unpacked.files if path.rpartition("/")[2] in PROJECT_MARKS
    } | {""}
    projects: dict[str, list[str]] = defaultdict(list)
    for path in unpacked.files:
        if path.endswith(".py"):
            projects[next(folder for folder in _above(path) if folder in folders)].append(path)
    return projects


def _has_application(unpacked: Unpacked, files: Iterable[str]) -> bool:
    for path in files:
        if kind_of(path) == "source":
            data = unpacked.read(path)
            if not isinstance(data, Unreadable) and _APPLICATION.search(data):
                return True
    return False


def _share_code(unpacked: Unpacked, applications: list[str]) -> bool:
    """Whether one of them imports what it does not have and something else in the archive does."""
    roots = [Root(folder, tuple(_inside(applications, folder))) for folder in applications]
    owners = {
        path: next((number for number, root in enumerate(roots) if root.holds(path)), -1)
        for path in unpacked.files
        if path.endswith(".py")
    }
    if len(owners) > _MAX_FILES:
        return True
    named: dict[str, set[int]] = defaultdict(set)
    for path, owner in owners.items():
        *folders, file = path.split("/")
        for name in (*folders[:_MAX_DEPTH], file.removesuffix(".py")):
            named[name].add(owner)
    for path, owner in owners.items():
        data = unpacked.read(path) if owner >= 0 else b""
        if isinstance(data, Unreadable):
            continue
        for match in _IMPORT.finditer(data):
            name = match[1].decode()
            if name in named and owner not in named[name]:
                return True
    return False


def _above(path: str) -> Iterator[str]:
    while path:
        path = path.rpartition("/")[0]
        yield path


def _inside(folders: Iterable[str], outer: str) -> Iterator[str]:
    return (folder for folder in folders if folder != outer and _is_below(folder, outer))


def _is_below(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")
