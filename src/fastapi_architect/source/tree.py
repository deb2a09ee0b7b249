"""The tree under review: which files it has, and their bytes. It is read, never written, and never trusted.

Traps
-----
* No symbolic link is followed: a link to a folder may make a loop, a link to a file may lead to what the
  tree's owner may not read. What a link inside the tree points to is found under its own name.
* A name that is not UTF-8 comes as text with lone surrogates (`os.fsdecode`), which neither JSON nor msgpack
  can hold: `printable` is for messages and reports, the path itself for reading.
* A tree of stored files came from a stranger: of what it says about itself (`.gitignore`, "do not edit",
  `pyvenv.cfg`, a folder called `build`) nothing is believed, as any of it would hide code from its own review.
"""

from __future__ import annotations

import errno
import math
import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from fastapi_architect.source.ignore import IgnorePatterns
from fastapi_architect.source.kinds import Kind, kind_of
from fastapi_architect.source.lazy_pattern import lazy_pattern

#: A file is read up to this size; what is larger is not source.
MAX_READ_BYTES = 10_000_000
_MAX_CONFIGURATION_BYTES = 256_000
_MAX_CONFIGURATION_DEPTH = 6
_MAX_IGNORE_BYTES = 1_000_000

_EXCLUDED = {
    "__pycache__": "byte code",
    "__pypackages__": "installed packages",
    "dist-packages": "installed packages",
    "node_modules": "installed packages",
    "site-packages": "installed packages",
    "htmlcov": "a coverage report",
}
# Named like build output, but a package `app/build/` is source.
_BUILD_OUTPUT = frozenset({"build", "dist"})
_VISIBLE = frozenset({".github", ".gitlab", ".circleci", ".docker", ".devcontainer", ".deploy", ".config"})

_OTHER_FILE = lazy_pattern(
    r"""
      (?:.*[-_.])?(?:requirements|requires)(?:[-_.].*)?\.(?:txt|in) | constraints.*\.txt
    | pyproject\.toml | setup\.cfg | setup\.py | (?:poetry|uv|pdm)\.lock | Pipfile(?:\.lock)?
    | .*alembic.*\.ini
    | \.env.* | .*\.env | (?:.*\.)?(?:Dockerfile|Containerfile)(?:[-_.].*)? | (?:docker-)?compose.*\.ya?ml
    | Procfile.* | .*\.sh | Makefile | gunicorn.*\.(?:py|conf) | nginx.*\.conf
    | \.python-version | runtime\.txt
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CONFIGURATION = (".toml", ".yaml", ".yml", ".json", ".ini", ".cfg")


class NoSuchPath(Exception):
    """The path to review does not exist or cannot be read; the message names the next step."""


class Unreadable(msgspec.Struct, frozen=True, order=True):
    """A file or folder that could not be read, and why."""

    path: str
    reason: str


class Excluded(msgspec.Struct, frozen=True, order=True):
    """A folder that was not entered, and why."""

    path: str
    reason: str


class StoredFile(msgspec.Struct, frozen=True):
    """A file whose bytes lie elsewhere.

    Attributes:
        offset: where they begin in the file that holds all of them.
        size: how many there are.
    """

    offset: int
    size: int


class StoredFiles(msgspec.Struct, frozen=True):
    """Files that lie one behind the other in one file on the disk.

    Attributes:
        place: that file.
        files: paths, relative and with forward slashes, to where their bytes are in it.
    """

    place: Path
    files: Mapping[str, StoredFile]

    def read(self, path: str, max_bytes: int) -> bytes | Unreadable:
        """The bytes of one file, or why they cannot be had."""
        stored = self.files.get(path)
        if stored is None:
            return Unreadable(path, "no such file")
        if stored.size > max_bytes:
            return Unreadable(path, f"larger than {readable_size(max_bytes)} ({readable_size(stored.size)})")
        try:
            with self.place.open("rb", buffering=0) as file:
                file.seek(stored.offset)
                data = file.read(stored.size)
        except OSError as error:
            return Unreadable(path, _reason(error))
        return data if len(data) == stored.size else Unreadable(path, "its bytes are gone")


class SourceTree(msgspec.Struct, frozen=True):
    """The files of a tree, found once. All paths are relative to `root`, with forward slashes, and sorted.

    Attributes:
        root: the folder, absolute.
        python_files: the Python files to analyse.
        other_files: manifests, lock files, settings, deployment files.
        unreadable: files and folders that could not be looked at.
        excluded: folders left out by the built-in rules or by patterns.
        ignored: Python files left out by patterns.
        instead: paths to bytes that are read in place of the files': what a fix would make of them.
        stored: where its files lie, when they do not lie below `root`, which is only a name then.
        own: files that are the project's own source, whatever their folders are called.
    """

    root: Path
    python_files: tuple[str, ...]
    other_files: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    ignored: tuple[str, ...] = ()
    instead: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    stored: StoredFiles | None = None
    own: frozenset[str] = frozenset()

    @classmethod
    def of_stored(cls, root: Path, stored: StoredFiles, unreadable: Sequence[Unreadable] = ()) -> SourceTree:
        """A tree of files that lie elsewhere, such as those of an archive.

        Args:
            root: what the tree is called, absolute; nothing there is looked at.
            stored: its files.
            unreadable: what is missing from it, and why.
        """
        files = stored.files
        read = sorted(path for path, file in files.items() if is_read(path, file.size))
        return cls(
            root,
            tuple(path for path in read if path.endswith(".py")),
            tuple(path for path in read if _is_other(tuple(path.split("/")), files[path].size)),
            tuple(sorted(unreadable)),
            stored=stored,
        )

    @classmethod
    def open(
        cls,
        root: Path,
        exclude: Sequence[str] = (),
        honour_gitignore: bool = True,
        *,
        ignored_settings: bool = True,
    ) -> SourceTree:
        """Find the files below `root`, which may also be one Python file.

        Args:
            root: a folder or file.
            exclude: more patterns in the syntax of `.gitignore`, relative to `root`; they win over
                `.gitignore`.
            honour_gitignore: leave out what the tree's own `.gitignore` files name.
            ignored_settings: list `.env` files all the same; whoever sends the tree elsewhere does not.

        Raises:
            NoSuchPath: when there is nothing at `root` that can be read.
        """
        status = _status(root)
        absolute = Path.cwd() / root  # not resolved: messages show the names that the user typed
        if stat.S_ISREG(status.st_mode):
            if absolute.suffix != ".py":
                raise NoSuchPath(
                    f"{printable(str(root))} is not a Python file. Pass the folder that holds your "
                    "application, or a file that ends in .py."
                )
            return cls(absolute.parent, (absolute.name,))
        if not stat.S_ISDIR(status.st_mode):
            raise NoSuchPath(
                f"{printable(str(root))} is neither a file nor a folder. Pass the folder of your application."
            )
        walk = _Walk(absolute, IgnorePatterns(exclude), honour_gitignore, ignored_settings)
        walk.run()
        return cls(
            absolute,
            tuple(sorted(walk.python_files)),
            tuple(sorted(walk.other_files)),
            tuple(sorted(walk.unreadable)),
            tuple(sorted(walk.excluded)),
            tuple(sorted(walk.ignored)),
        )

    def reading_instead(self, instead: Mapping[str, bytes]) -> SourceTree:
        """The same tree with other bytes for some files, also for Python files that are not there."""
        new = {path for path in instead if path.endswith(".py")}.difference(self.python_files)
        files = tuple(sorted((*self.python_files, *new))) if new else self.python_files
        return msgspec.structs.replace(self, python_files=files, instead=instead)

    def read(self, path: str, max_bytes: int = MAX_READ_BYTES) -> bytes | Unreadable:
        """The bytes of one file of the tree, or why they cannot be had."""
        if path in self.instead:
            return self.instead[path]
        if self.stored is not None:
            return self.stored.read(path, max_bytes)
        try:
            # Without O_NONBLOCK a FIFO that took the file's place would block for ever.
            descriptor = os.open(
                f"{self.root}/{path}",
                os.O_RDONLY
                | getattr(os, "O_NOFOLLOW", 0)
                | getattr(os, "O_NONBLOCK", 0)
                | getattr(os, "O_BINARY", 0),
            )
        except (OSError, ValueError) as error:
            return Unreadable(path, _reason(error))
        with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - Path.open takes no descriptor
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    return Unreadable(path, "not a regular file")
                if status.st_size > max_bytes:
                    return Unreadable(
                        path, f"larger than {readable_size(max_bytes)} ({readable_size(status.st_size)})"
                    )
                # Room for all of `max_bytes` would stay mapped behind each small file, and maps are counted.
                data = file.read(status.st_size + 1)
                return data if len(data) <= status.st_size else data + file.read(max_bytes - status.st_size)
            except OSError as error:
                return Unreadable(path, _reason(error))

    @property
    def folders_above(self) -> tuple[str, ...]:
        """Names of the folders that lead to the root, its own last."""
        return (self.root if self.stored is not None else self.root.resolve()).parts[1:]

    def kind_of(self, path: str) -> Kind:
        """What the file is (`source.kinds.kind_of`), its first lines included where they are believed."""
        if path in self.own:
            return "source"
        kind = kind_of(path)
        if kind in {"vendored", "generated", "migration"} or self.stored is not None:
            return kind
        if path in self.instead:
            return kind_of(path, self.instead[path][:1000])
        try:
            with (self.root / path).open("rb") as file:
                return kind_of(path, file.read(1000))
        except OSError:
            return kind

    @property
    def nothing_to_review(self) -> str | None:
        """Why there is nothing to review and what to do; None when there are Python files."""
        if self.python_files:
            return None
        if self.ignored:
            return (
                f"All {len(self.ignored)} Python files below {printable(str(self.root))} are excluded. "
                "Look at its .gitignore and at the option exclude."
            )
        return (
            f"There is no Python file below {printable(str(self.root))}. Pass the folder of your application."
        )


def is_read(path: str, size: int) -> bool:
    """Whether a review reads a file of this name and size, wherever it finds it.

    Args:
        path: relative, with forward slashes.
        size: in bytes.
    """
    *folders, name = path.split("/")
    if any(_excluded_by_name(folder) for folder in folders):
        return False
    return name.endswith(".py") or _is_other((*folders, name), size)


def readable_size(size: int) -> str:
    """A number of bytes for people: `3 MB`, `20.4 MB`, `700 bytes`."""
    return f"{round(size / 1e6, 1):g} MB" if size >= 100_000 else f"{size} bytes"


def printable(path: str) -> str:
    """The path for people and for JSON: bytes that are not UTF-8, and control characters, as escapes."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _status(root: Path) -> os.stat_result:
    name = printable(str(root))
    try:
        return root.stat()
    except FileNotFoundError as error:
        raise NoSuchPath(
            f"There is nothing at {name}. Pass the folder that holds your application, for example: "
            "architect review ./backend"
        ) from error
    except (OSError, ValueError) as error:
        raise NoSuchPath(
            f"{name} cannot be read: {_reason(error)}. Pass another folder, or allow reading it."
        ) from error


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        if error.errno == errno.ELOOP:
            return "a symbolic link"
        return (error.strerror or str(error)).lower()
    return "a NUL byte in its name"


class _Walk(msgspec.Struct):
    """One walk over the tree, without recursion."""

    root: Path
    exclude: IgnorePatterns
    honour_gitignore: bool
    ignored_settings: bool = True
    python_files: list[str] = msgspec.field(default_factory=list)
    other_files: list[str] = msgspec.field(default_factory=list)
    unreadable: list[Unreadable] = msgspec.field(default_factory=list)
    excluded: list[Excluded] = msgspec.field(default_factory=list)
    ignored: list[str] = msgspec.field(default_factory=list)

    def run(self) -> None:
        #: Folders to enter: their components, and the patterns in force with the depth of the folder they
        #: came from.
        waiting: list[tuple[tuple[str, ...], tuple[tuple[int, IgnorePatterns], ...]]] = [((), ())]
        while waiting:
            parts, patterns = waiting.pop()
            entries = self._entries(parts)
            if entries is None:
                continue
            if self.honour_gitignore and ".gitignore" in entries:
                own = self._patterns(parts)
                if own:
                    patterns = (*patterns, (len(parts), own))
            for name, is_folder in entries.items():
                path = (*parts, name)
                if not is_folder:
                    self._file(path, patterns)
                elif self._enter(path, patterns):
                    waiting.append((path, patterns))

    def _entries(self, parts: tuple[str, ...]) -> dict[str, bool] | None:
        """Names in the folder and whether each is a folder; None when it is not to be entered after all."""
        entries: dict[str, bool] = {}
        try:
            with os.scandir(self.root.joinpath(*parts)) as found:
                for entry in found:
                    self._entry(entry, parts, entries)
        except OSError as error:
            self.unreadable.append(Unreadable("/".join(parts) or ".", _reason(error)))
            return None
        if not parts:
            return entries
        reason = None
        if "pyvenv.cfg" in entries:
            reason = "a virtual environment"
        elif parts[-1] in _BUILD_OUTPUT and "__init__.py" not in entries:
            reason = "build output"
        if reason is not None:
            self.excluded.append(Excluded("/".join(parts), reason))
            return None
        return entries

    def _entry(self, entry: os.DirEntry[str], parts: tuple[str, ...], entries: dict[str, bool]) -> None:
        try:
            if (
                entry.is_symlink() or entry.is_junction()
                if hasattr(entry, "is_junction")
                else entry.is_symlink()
            ):
                self._link(entry, "/".join((*parts, entry.name)))
            elif entry.is_dir(follow_symlinks=False):
                entries[entry.name] = True
            elif entry.is_file(follow_symlinks=False):
                entries[entry.name] = False
            elif entry.name.endswith(".py"):
                self.unreadable.append(Unreadable("/".join((*parts, entry.name)), "not a regular file"))
        except OSError as error:
            self.unreadable.append(Unreadable("/".join((*parts, entry.name)), _reason(error)))

    def _link(self, entry: os.DirEntry[str], path: str) -> None:
        """Say so when a link hides Python code that lies outside of the tree."""
        if not entry.name.endswith(".py") and not entry.is_dir():
            return
        target = os.path.realpath(entry.path)
        root = os.path.realpath(self.root)
        if target != root and not target.startswith(os.path.join(root, "")):  # noqa: PTH118
            self.unreadable.append(Unreadable(path, "a symbolic link that leads out of the tree"))

    def _patterns(self, parts: tuple[str, ...]) -> IgnorePatterns:
        path = "/".join((*parts, ".gitignore"))
        data = SourceTree(self.root, ()).read(path, _MAX_IGNORE_BYTES)
        if isinstance(data, Unreadable):
            self.unreadable.append(data)
            return IgnorePatterns(())
        return IgnorePatterns(data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").split("\n"))

    def _is_ignored(
        self, path: tuple[str, ...], patterns: tuple[tuple[int, IgnorePatterns], ...], is_folder: bool
    ) -> bool:
        verdict = self.exclude.verdict(path, is_folder) if self.exclude else None
        if verdict is not None:
            return verdict
        for depth, own in reversed(patterns):
            verdict = own.verdict(path[depth:] if depth else path, is_folder)
            if verdict is not None:
                return verdict
        return False

    def _enter(self, path: tuple[str, ...], patterns: tuple[tuple[int, IgnorePatterns], ...]) -> bool:
        reason = _excluded_by_name(path[-1])
        if reason is None and self._is_ignored(path, patterns, True):
            reason = "ignored by a pattern"
        if reason is None:
            return True
        self.excluded.append(Excluded("/".join(path), reason))
        return False

    def _file(self, path: tuple[str, ...], patterns: tuple[tuple[int, IgnorePatterns], ...]) -> None:
        name = path[-1]
        is_python = name.endswith(".py")
        is_other = _is_other(path, self.root)
        if not (is_python or is_other):
            return
        joined = "/".join(path)
        if patterns or self.exclude:
            # `.env` is ignored by nearly every repository, and its presence is exactly what reviews ask
            # about.
            is_setting = self.ignored_settings and not is_python and name.startswith(".env")
            ignored = self._is_ignored(path, () if is_setting else patterns, False)
            if ignored:
                if is_python:
                    self.ignored.append(joined)
                return
        if is_python:
            self.python_files.append(joined)
        if is_other:
            self.other_files.append(joined)


def _excluded_by_name(folder: str) -> str | None:
    """Why a folder of this name is never entered; None when it is."""
    reason = _EXCLUDED.get(folder)
    if reason is None and folder.startswith(".") and folder not in _VISIBLE:
        reason = "a hidden folder"
    elif reason is None and folder.endswith(".egg-info"):
        reason = "metadata of a package"
    return reason


def _size_of(path: tuple[str, ...], size: int | Path) -> float:
    if isinstance(size, int):
        return size
    try:
        return size.joinpath(*path).lstat().st_size
    except OSError:
        return math.inf


def _is_other(path: tuple[str, ...], size: int | Path) -> bool:
    """Whether the file is a manifest, a lock file, a setting or about deployment.

    Args:
        path: its components.
        size: in bytes, or the root to ask it below, which few names need.
    """
    name = path[-1]
    if name.endswith(_CONFIGURATION):
        if _OTHER_FILE.fullmatch(name):
            return True
        if len(path) > _MAX_CONFIGURATION_DEPTH:
            return False
        return _size_of(path, size) <= _MAX_CONFIGURATION_BYTES
    if len(path) > 1 and path[-2] == "requirements" and name.endswith((".txt", ".in")):
        return True
    # Most names of a large tree end here, without the regular expression.
    if name.endswith((".py", ".pyc", ".md", ".rst", ".js", ".ts", ".tsx", ".html", ".css", ".svg", ".png")):
        return name == "setup.py" or (name.startswith("gunicorn") and name.endswith(".py"))
    return _OTHER_FILE.fullmatch(name) is not None
