"""A plan carried out: all of it, or nothing.

Every file is checked and written beside its final place first; only then are they renamed, which cannot fail half-way for a
full disk. Should a rename fail all the same, or somebody press Ctrl-C, everything is put back.
"""

from __future__ import annotations

import ast
import json
import os
import stat
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.plan import Plan
from fastapi_architect.review.changes import uncommitted

_SHOWN = 5
_MARK = ".architect-new"


def refuse_dirty(root: Path) -> None:
    """Refuse to write where git could not tell the new from other work.

    Raises:
        BuildError: files are changed or new.
    """
    changed = uncommitted(root)
    if changed:
        shown = ", ".join(changed[:_SHOWN]) + (", ..." if changed[_SHOWN:] else "")
        message = f"git has changes that are not committed ({shown}); commit them, or add --allow-dirty or --dry-run"
        raise BuildError(message)


def check(plan: Plan, root: Path, *, readable: Callable[[str, bytes], None] | None = None) -> None:
    """Refuse what could not be carried out, before anything is written.

    Args:
        plan: what to do.
        root: the folder that it is about.
        readable: raises for a file that its readers could not read; None: `parse`.

    Raises:
        BuildError: a file is there already, has changed, cannot be written, or would not parse.
    """
    read = readable or parse
    for file in plan.files:
        path = root / file.path
        if path.is_symlink() or path.exists():
            message = f"{file.path} is there already and is never overwritten; move it away, or remove it"
            raise BuildError(message)
        _refuse_outside(root, file.path)
        read(file.path, file.data)
    for edit in plan.edits:
        path = root / edit.path
        _refuse_outside(root, edit.path)
        if path.is_symlink() or not path.is_file() or path.read_bytes() != edit.before:
            message = f"{edit.path} has changed since it was read; run the command again"
            raise BuildError(message)
        if not os.access(path, os.W_OK):
            message = f"{edit.path} cannot be written: permission denied; make it writable"
            raise BuildError(message)
        read(edit.path, edit.after)


def parse(path: str, data: bytes) -> None:
    """Refuse a file that its readers could not read.

    Raises:
        BuildError: naming the place.
    """
    try:
        if path.endswith(".py"):
            ast.parse(data, path)
        elif path.endswith(".toml"):
            tomllib.loads(data.decode())
        elif path.endswith(".json"):
            json.loads(data)
    except (SyntaxError, ValueError) as error:
        message = f"{path} would not parse ({error}); nothing was written, please report this"
        raise BuildError(message) from error


def apply(plan: Plan, root: Path, *, readable: Callable[[str, bytes], None] | None = None) -> None:
    """Carry out a plan; arguments as of `check`.

    Raises:
        BuildError: it could not be; everything is as it was.
    """
    check(plan, root, readable=readable)
    with _all_or_nothing() as undo:
        try:
            staged: list[tuple[Path, Path, bytes | None]] = []
            for file in plan.files:
                target = root / file.path
                _make_folders(target.parent, undo)
                staged.append((_beside(target, file.data, 0o644, undo), target, None))
            for edit in plan.edits:
                target = root / edit.path
                mode = stat.S_IMODE(target.stat().st_mode)
                staged.append((_beside(target, edit.after, mode, undo), target, edit.before))
            for beside, target, before in staged:
                if before is None and target.exists():
                    message = f"{target} appeared meanwhile; nothing was written"
                    raise BuildError(message)
                beside.replace(target)
                undo.append((target, before))
        except OSError as error:
            name = error.filename or root
            reason = (error.strerror or str(error)).lower()
            message = (
                f"{name} cannot be written: {reason}; nothing was changed, make it writable and run again"
            )
            raise BuildError(message) from error


def _refuse_outside(root: Path, path: str) -> None:
    """Nothing is written through a link that leads out of the project."""
    parent = (root / path).parent
    while not parent.exists():
        parent = parent.parent
    if not parent.resolve().is_relative_to(root.resolve()):
        message = f"{path} lies outside of the project, behind a symbolic link; replace the link by a folder"
        raise BuildError(message)


def _make_folders(folder: Path, undo: list[tuple[Path, bytes | None]]) -> None:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir()
        undo.append((each, None))


def _beside(target: Path, data: bytes, mode: int, undo: list[tuple[Path, bytes | None]]) -> Path:
    beside = target.with_name(f".{target.name}.{os.getpid()}{_MARK}")
    undo.append((beside, None))
    # Never readable for more people than the file itself, not for a moment.
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
        opened.write(data)
    beside.chmod(mode)
    return beside


@contextmanager
def _all_or_nothing() -> Iterator[list[tuple[Path, bytes | None]]]:
    """A list of what was made (None) or replaced (what it held): put back, the last first, unless all goes well."""
    made: list[tuple[Path, bytes | None]] = []
    try:
        yield made
    except BaseException:
        for path, before in reversed(made):
            if before is not None:
                path.write_bytes(before)
            elif path.is_dir():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)
        raise
