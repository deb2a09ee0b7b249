"""The one folder of which questions may be asked, and how its program is read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from fastapi_architect.findings.baseline import BaselineError
from fastapi_architect.review.changes import ChangesError
from fastapi_architect.review.config import Config, ConfigError, load, selectors, unknown
from fastapi_architect.review.pipeline import Request
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.source.tree import NoSuchPath
from fastapi_architect.workbench.errors import WorkbenchError


class Workspace:
    """A folder; nothing outside it is read.

    Attributes:
        root: its absolute path without symbolic links.
    """

    def __init__(self, root: Path) -> None:
        """As `root` is given; it has to be a folder."""
        self.root = root.resolve()
        # A review changes the interpreter's recursion limit and its collector while it runs.
        self._one_at_a_time = threading.Lock()

    def path(self, given: str) -> Path:
        """A path that somebody named.

        Raises:
            WorkbenchError: it leads outside the root, or to nothing.
        """
        try:
            found = (self.root / given).resolve()
            exists = found.exists()
        except (OSError, ValueError) as error:
            message = f"{given!r} is no path: {error}; name a folder or a Python file below the served folder"
            raise WorkbenchError(message) from error
        if not found.is_relative_to(self.root):
            message = f"{given!r} lies outside the served folder; name a path below it, or serve another folder with --root"
            raise WorkbenchError(message)
        if not exists:
            message = f"there is nothing at {given!r}; name a folder or a Python file below the served folder"
            raise WorkbenchError(message)
        return found

    def name_of(self, folder: Path) -> str:
        """A folder below the root, as it is named in answers."""
        return folder.relative_to(self.root).as_posix()

    def config(self, path: Path) -> Config:
        """The configuration that counts for a path, none from above the root.

        Raises:
            ConfigError: it says something that has no meaning; `reading` makes a WorkbenchError of it.
        """
        return load(path, all_rules().values(), within=self.root)

    def request(
        self, path: Path, select: tuple[str, ...] = (), *, changed_since: str | None = None
    ) -> Request:
        """What a review of a path is asked for.

        Raises:
            WorkbenchError: nothing has a name that is selected.
            ConfigError: as `config`.
        """
        config = self.config(path)
        known = selectors(all_rules().values())
        for name in select:
            if name not in known:
                message = f"select: {unknown('rule, topic or category', name, known)}"
                raise WorkbenchError(message)
        if select:
            config = replace(config, select=select)
        return Request(path, config, changed_since=changed_since, within=self.root)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One review at a time; what the caller can mend becomes the answer.

        Raises:
            WorkbenchError: with the next step.
        """
        with self._one_at_a_time:
            try:
                yield
            except (ConfigError, BaselineError, ChangesError, NoSuchPath) as error:
                raise WorkbenchError(str(error)) from error
