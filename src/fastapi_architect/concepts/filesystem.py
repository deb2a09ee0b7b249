"""Files and folders."""

from __future__ import annotations

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


class FileAccess(Concept, frozen=True, eq=False):
    """A file or folder is opened, read, written, moved or removed.

    Attributes:
        path: where.
        mode: read, write, delete, move, list or make.
        target: the second path of a copy or move.
        data: what is written, when the call says it.
        is_async: to be awaited.
        whole: the whole content is held in memory.
    """

    path: ir.Expr | None = None
    mode: str = "read"
    target: ir.Expr | None = None
    data: ir.Expr | None = None
    is_async: bool = False
    whole: bool = False


class FileCopy(Concept, frozen=True, eq=False):
    """One open file is copied into another (`shutil.copyfileobj`), whatever its size."""

    source: ir.Expr | None = None
    target: ir.Expr | None = None


class ArchiveExtraction(Concept, frozen=True, eq=False):
    """An archive is unpacked.

    Attributes:
        archive: the archive.
        target: the folder.
        filter: what checks the members' names (tar only).
        format: zip, tar or any.
    """

    archive: ir.Expr | None = None
    target: ir.Expr | None = None
    filter: ir.Expr | None = None
    format: str = "zip"


class PathResolution(Concept, frozen=True, eq=False):
    """Links and `..` are resolved: the path may be tested afterwards."""

    path: ir.Expr | None = None


class ObjectStorageCall(Concept, frozen=True, eq=False):
    """An object of a store such as S3.

    Attributes:
        operation: put, get, delete, copy, list or sign.
        key: its key.
        bucket: its bucket.
    """

    operation: str = "get"
    key: ir.Expr | None = None
    bucket: ir.Expr | None = None
