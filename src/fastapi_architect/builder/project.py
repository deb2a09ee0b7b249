"""The project that components go to, read and not yet touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.builder.catalog import OWN_SERVERS
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.lock import Lock, read_lock
from fastapi_architect.builder.plan import FileEdit
from fastapi_architect.review import reading
from fastapi_architect.review.config import Config
from fastapi_architect.source.tree import SourceTree


class Project(msgspec.Struct, frozen=True):
    """What was read.

    Attributes:
        root: the folder, absolute.
        graph: its application graph.
        lock: what it has of ours, None for a project that never had anything.
    """

    root: Path
    graph: AppGraph
    lock: Lock | None

    @property
    def texts(self) -> Mapping[str, str]:
        """Manifests, settings and deployment files by path."""
        return self.graph.files.texts


def served_otherwise(project: Project) -> tuple[str, ...]:
    """Packages that components bring to serve an application, where the project has its own version of them."""
    packages = project.graph.deployment.packages
    by_extra = any({"standard", "all"} & set(each.extras) for each in packages.by_name.get("fastapi", ()))
    return OWN_SERVERS if by_extra or "uvicorn" in packages else ()


def read_project(root: Path, config: Config, *, jobs: int = 1, cache: bool = True) -> Project:
    """Read the project in a folder.

    Raises:
        BuildError: the path is no folder, or its lock cannot be read.
        NoSuchPath: there is nothing.
    """
    if root.is_file():
        message = f"{root} is a file; name the folder of the project: --path {root.parent}"
        raise BuildError(message)
    tree = SourceTree.open(root, config.exclude)
    with reading.without_garbage_collection():
        read = reading.read(tree, config, jobs=jobs, cache=cache)
    return Project(tree.root, read.graph, read_lock(tree.root))


def edit_of(root: Path, path: str, change: Callable[[str], str], what: str) -> FileEdit | None:
    """An edit of a file as a value; None where nothing changes. Line ends and byte order mark stay.

    Raises:
        BuildError: the file cannot be read as UTF-8.
    """
    try:
        data = (root / path).read_bytes()
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}; mend that first"
        raise BuildError(message) from error
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    windows = "\r\n" in text
    plain = text.removeprefix(mark).replace("\r\n", "\n")
    changed = change(plain)
    if changed == plain:
        return None
    after = mark + (changed.replace("\n", "\r\n") if windows else changed)
    return FileEdit(path, data, after.encode(), what)
