"""What installing or uninstalling would change, as a value, and how it is carried out."""

from __future__ import annotations

import difflib
from pathlib import Path

import msgspec

from fastapi_architect.builder import apply as builder
from fastapi_architect.builder.copying import NewFile
from fastapi_architect.builder.plan import FileEdit, Plan
from fastapi_architect.persona.clients.errors import ClientError
from fastapi_architect.persona.clients.target import Scope


class Kept(msgspec.Struct, frozen=True):
    """A place that somebody edited, which is left as it is.

    Attributes:
        path: relative to the scope's root.
        reason: why, and what the reader may do.
        diff: from what is there to what would be.
    """

    path: str
    reason: str
    diff: str


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that would be done.

    Attributes:
        files: to write; none of them exists.
        edits: of files that exist.
        gone: files to delete, which are ours and unchanged.
        folders: to remove when they are empty, inner ones first.
        kept: what stays although it differs.
    """

    files: tuple[NewFile, ...] = ()
    edits: tuple[FileEdit, ...] = ()
    gone: tuple[FileEdit, ...] = ()
    folders: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()


class Tree:
    """Files of a scope as they are and as they would be; nothing is written before `changes`."""

    def __init__(self, scope: Scope) -> None:
        """Of a scope whose root exists."""
        self.root = scope.root.resolve()
        self._before: dict[str, bytes | None] = {}
        self._after: dict[str, bytes | None] = {}
        self.kept: list[Kept] = []

    def read(self, path: str) -> str | None:
        """The text of a file, with what is planned already; None where there is none.

        Raises:
            ClientError: it lies outside, cannot be read, or is no text.
        """
        real = self._real(path)
        if real not in self._after:
            data = self._data(real)
            self._before[real] = self._after[real] = data
        data = self._after[real]
        try:
            return None if data is None else data.decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"{path}: is no UTF-8 text ({error}); save it as UTF-8 and run again"
            raise ClientError(message) from error

    def write(self, path: str, text: str) -> None:
        """Plan a file's text."""
        self.read(path)
        self._after[self._real(path)] = text.encode()

    def delete(self, path: str) -> None:
        """Plan a file's end."""
        self.read(path)
        self._after[self._real(path)] = None

    def keep(self, path: str, reason: str, there: str, wanted: str) -> None:
        """Leave a place to whoever edited it."""
        before, after = (text.splitlines(keepends=True) for text in (there, wanted))
        made = "".join(difflib.unified_diff(before, after, f"a/{path}", f"b/{path}"))
        self.kept.append(Kept(path, reason, made))

    def new_folders(self) -> list[str]:
        """Folders that are made for the files, outer ones first."""
        found: dict[str, None] = {}
        for path, data in self._after.items():
            if data is not None:
                for folder in reversed((self.root / path).relative_to(self.root).parents):
                    if str(folder) != "." and not (self.root / folder).exists():
                        found[folder.as_posix()] = None
        return list(found)

    def changes(self, folders: tuple[str, ...] = ()) -> Changes:
        """What differs."""
        files, edits, gone = [], [], []
        for path, after in sorted(self._after.items()):
            before = self._before[path]
            if after == before:
                continue
            if before is None:
                files.append(NewFile(path, after or b""))
            elif after is None:
                gone.append(FileEdit(path, before, b"", ""))
            else:
                edits.append(FileEdit(path, before, after, ""))
        return Changes(
            files=tuple(files), edits=tuple(edits), gone=tuple(gone), folders=folders, kept=tuple(self.kept)
        )

    def _real(self, path: str) -> str:
        """The path behind symbolic links, relative to the root.

        Raises:
            ClientError: it lies outside.
        """
        try:
            real = (self.root / path).resolve()
        except (OSError, RuntimeError) as error:
            message = f"{path}: cannot be followed ({error}); mend the symbolic link"
            raise ClientError(message) from error
        if not real.is_relative_to(self.root):
            message = f"{path} leads outside of {self.root}, behind a symbolic link; replace the link, or install there"
            raise ClientError(message)
        return real.relative_to(self.root).as_posix()

    def _data(self, real: str) -> bytes | None:
        file = self.root / real
        try:
            return file.read_bytes()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            message = f"{real}: cannot be read: {reason}; move it away, or make it readable"
            raise ClientError(message) from error


def carry_out(changes: Changes, scope: Scope) -> None:
    """Write, then delete.

    Raises:
        BuildError: nothing was changed.
        ClientError: a file of ours could not be deleted; the rest is done.
    """
    root = scope.root.resolve()
    plan = Plan(title="", files=changes.files, edits=changes.edits)
    for each in changes.gone:
        if (root / each.path).read_bytes() != each.before:
            message = f"{each.path} has changed since it was read; run the command again"
            raise ClientError(message)
    builder.apply(plan, root, readable=_as_checked)
    if scope.name == "user":
        for file in changes.files:
            # Clients keep credentials in some of these files later on, and the mode that they find.
            (root / file.path).chmod(0o600)
    for each in changes.gone:
        try:
            (root / each.path).unlink()
        except OSError as error:
            message = (
                f"{each.path} cannot be deleted: {(error.strerror or str(error)).lower()}; delete it by hand"
            )
            raise ClientError(message) from error
    for folder in changes.folders:
        _remove_if_empty(root / folder)


def _as_checked(path: str, data: bytes) -> None:
    """JSON with comments and TOML were parsed when they were edited; the builder's own readers know no comments."""


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
        folder.rmdir()
