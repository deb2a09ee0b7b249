"""The one folder of which questions may be asked, how its program is read, and what may change in it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from msgspec.structs import replace

from fastapi_architect.appgraph.named_routes import NoSuchRoute
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.findings.baseline import Baseline, BaselineError, read
from fastapi_architect.records.errors import RecordError
from fastapi_architect.review.changes import ChangesError, uncommitted
from fastapi_architect.review.config import Config, ConfigError, load, selectors, unknown
from fastapi_architect.review.pipeline import Request
from fastapi_architect.review.reading import Progress
from fastapi_architect.review.remembered import Remembered
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.source.replace_files import CannotReplace
from fastapi_architect.source.tree import NoSuchPath
from fastapi_architect.workbench.errors import WorkbenchError

_SHOWN_DIRTY = 5
_SHOWN_NAME = 200


class Workspace:
    """A folder; nothing outside it is read or written.

    Attributes:
        root: its absolute path without symbolic links.
        limits: folders below it, where less than all of it is meant.
        progress: told how far a long answer is.
    """

    def __init__(
        self,
        root: Path,
        *,
        writes: bool = False,
        tests: bool = False,
        while_writing: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """A workspace.

        Args:
            root: a folder.
            writes: answers may change files, where that is asked for.
            tests: the project's own tests may be run.
            while_writing: entered around the moment in which files change; a server does not end this process within.
        """
        self.root = root.resolve()
        self.limits: tuple[Path, ...] = (self.root,)
        self.progress: Progress | None = None
        self._writes = writes
        self._tests = tests
        self._while_writing = while_writing
        self.remembered = Remembered()
        # A review changes the interpreter's recursion limit and its collector while it runs.
        self._one_at_a_time = threading.Lock()

    def narrowed_to(self, folders: Iterable[Path]) -> Workspace:
        """The same workspace, with less of it within reach.

        Args:
            folders: absolute ones; what lies outside the root is none of them, and they never add anything.

        Raises:
            WorkbenchError: nothing would be left.
        """
        limits = set()
        for each in folders:
            folder = each.resolve()
            if folder.is_relative_to(self.root):
                limits.add(folder)
            elif self.root.is_relative_to(folder):
                limits.add(self.root)
        if not limits:
            message = "none of the roots that your client announced lies in the served folder; serve one of them with --root"
            raise WorkbenchError(message)
        narrowed = copy.copy(self)
        narrowed.limits = tuple(sorted(limits))
        return narrowed

    def path(self, given: str) -> Path:
        """A path that somebody named.

        Raises:
            WorkbenchError: it leads outside, or to nothing.
        """
        found = self.new_path(given)
        if not found.exists():
            message = (
                f"there is nothing at {shown(given)}; name a folder or a Python file below the served folder"
            )
            raise WorkbenchError(message)
        return found

    def new_path(self, given: str) -> Path:
        """A path that somebody named, where nothing has to be yet.

        Raises:
            WorkbenchError: it leads outside, also by a symbolic link, or is no path.
        """
        try:
            found = (self.root / given).resolve()
            found.exists()
        except (OSError, ValueError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            message = (
                f"{shown(given)} is no path: {reason}; name a folder or a Python file below the served folder"
            )
            raise WorkbenchError(message) from error
        if not found.is_relative_to(self.root):
            message = f"{shown(given)} lies outside the served folder; name a path below it, or serve another folder with --root"
            raise WorkbenchError(message)
        if not any(found.is_relative_to(limit) for limit in self.limits):
            names = ", ".join(self.name_of(limit) for limit in self.limits)
            message = (
                f"{shown(given)} lies outside the roots that your client announced; name a path below {names}"
            )
            raise WorkbenchError(message)
        return found

    def bound(self, path: Path) -> Path:
        """The folder above which nothing counts for a path."""
        return max(
            (limit for limit in self.limits if path.is_relative_to(limit)), key=lambda each: len(each.parts)
        )

    def name_of(self, folder: Path) -> str:
        """A folder below the root, as it is named in answers."""
        return folder.relative_to(self.root).as_posix()

    def config(self, path: Path) -> Config:
        """The configuration that counts for a path, none from above the root.

        Raises:
            ConfigError: it says something that has no meaning; `reading` makes a WorkbenchError of it.
        """
        return load(path, all_rules().values(), within=self.bound(path))

    def request(self, path: Path, select: Iterable[str] = (), *, changed_since: str | None = None) -> Request:
        """What a review of a path is asked for.

        Raises:
            WorkbenchError: nothing has a name that is selected.
            BaselineError, ConfigError: as `reading` says them.
        """
        config = self.selecting(self.config(path), select)
        return Request(
            path,
            config,
            changed_since=changed_since,
            baseline=self._baseline(config),
            within=self.bound(path),
            progress=self.progress,
            remembered=self.remembered,
        )

    def _baseline(self, config: Config) -> Baseline | None:
        """The findings that the project knows.

        Raises:
            WorkbenchError: the file lies outside the root.
            BaselineError: it cannot be read.
        """
        if config.baseline is None:
            return None
        if not config.baseline.resolve().is_relative_to(self.root):
            message = f"{config.file}: baseline: {str(config.baseline)!r} lies outside the served folder; name a file in it"
            raise WorkbenchError(message)
        return read(config.baseline)

    def selecting(self, config: Config, select: Iterable[str]) -> Config:
        """A configuration with only what is selected.

        Raises:
            WorkbenchError: nothing has a name that is selected.
        """
        names = tuple(select)
        known = selectors(all_rules().values())
        for name in names:
            if name not in known:
                message = f"select: {unknown('rule, topic or category', name[:_SHOWN_NAME], known)}"
                raise WorkbenchError(message)
        return replace(config, select=names) if names else config

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One review at a time; what the caller can mend becomes the answer.

        Raises:
            WorkbenchError: with the next step.
        """
        with self._one_at_a_time, refusing():
            yield

    # ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────

    def refuse_writing(self) -> None:
        """Refuse where nothing may change.

        Raises:
            WorkbenchError: naming who may allow it.
        """
        if not self._writes:
            message = (
                "nothing may be written here: that is for the user to allow, who starts the server with --allow-writes; "
                "show the change, and let the user or your own tools apply it"
            )
            raise WorkbenchError(message)

    def refuse_dirty(self, path: Path) -> None:
        """Refuse to write where git could not tell the new from other work.

        Raises:
            WorkbenchError: files are changed or new.
        """
        changed = uncommitted(path)
        if changed:
            listed = ", ".join(changed[:_SHOWN_DIRTY]) + (", ..." if changed[_SHOWN_DIRTY:] else "")
            message = f"git has changes that are not committed ({listed}); commit them first, so that this can be undone"
            raise WorkbenchError(message)

    def refuse_tests(self) -> None:
        """Refuse where the project's code is not to be run.

        Raises:
            WorkbenchError: naming who may allow it.
        """
        if not self._tests:
            message = (
                "tests may not be run here, because they are the project's code, run with the user's rights: that is for "
                "the user to allow, who starts the server with --allow-tests"
            )
            raise WorkbenchError(message)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around the moment in which files change, and around nothing else.

        Raises:
            WorkbenchError: nothing may be written here, or it could not be.
        """
        self.refuse_writing()
        with self._while_writing(), refusing():
            yield


@contextmanager
def refusing() -> Iterator[None]:
    """Say what the caller can mend.

    Raises:
        WorkbenchError: with the next step.
    """
    try:
        yield
    except (
        BaselineError,
        BuildError,
        CannotReplace,
        ChangesError,
        ConfigError,
        NoSuchPath,
        NoSuchRoute,
        RecordError,
    ) as error:
        raise WorkbenchError(str(error)) from error


def shown(given: str) -> str:
    """What somebody named, for a message: quoted, and not longer than a message may be."""
    return repr(given if len(given) <= _SHOWN_NAME else f"{given[:_SHOWN_NAME]}...")
