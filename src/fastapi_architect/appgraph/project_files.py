"""Texts of the files around the code: manifests, locks, settings and deployment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import msgspec

from fastapi_architect.source.tree import SourceTree, Unreadable

#: A larger configuration file is not read; lock files of large projects are below this.
MAX_BYTES = 4_000_000


class ProjectFiles(msgspec.Struct, frozen=True):
    """Files by path.

    Attributes:
        texts: path to text, sorted by path; bytes that are not UTF-8 are replaced.
        unreadable: what could not be read, and why.
    """

    texts: Mapping[str, str]
    unreadable: tuple[Unreadable, ...] = ()


def read_project_files(tree: SourceTree) -> ProjectFiles:
    """Read the files of a tree that are not Python."""
    texts: dict[str, str] = {}
    unreadable: list[Unreadable] = []
    for path in tree.other_files:
        data = tree.read(path, MAX_BYTES)
        if isinstance(data, Unreadable):
            unreadable.append(data)
        elif b"\0" in data:
            unreadable.append(Unreadable(path, "it contains NUL bytes"))
        else:
            texts[path] = data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return ProjectFiles(texts, tuple(unreadable))


def file_name(path: str) -> str:
    """Last part of a path."""
    return PurePosixPath(path).name
