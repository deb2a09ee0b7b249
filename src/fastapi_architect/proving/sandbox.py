"""The disposable child's surroundings: a temporary folder, a stripped environment, limits, captured output.

This is a fence for the project's own examples, which attack themselves on purpose; it is not a prison for
hostile code. Nothing of a reviewed project is ever run in it.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from fastapi_architect.proving.outcome import Limits

if sys.platform != "win32":  # which has no limits of this kind; the wall clock still ends a child there
    import resource

#: Variables that a child keeps. Anything else could hold a secret of whoever runs the tests.
_KEPT = frozenset(
    {"PATH", "LANG", "LC_ALL", "SYSTEMROOT", "PYTHONPATH", "PYTHONHASHSEED", "MALLOC_ARENA_MAX"}
)

#: The example's own folder below the temporary one; the demonstration's canary files lie beside it.
EXAMPLE_FOLDER = "app"


def environment() -> dict[str, str]:
    """The environment a child starts with."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    # Every malloc arena reserves 64 MB of address space, and a test client brings a thread pool.
    return {
        "MALLOC_ARENA_MAX": "2",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        **kept,
    }


def enter(folder: Path, files: dict[str, str]) -> Path:
    """Write the example below `folder`, make it the working directory and the first place for imports.

    Returns:
        the example's folder.

    Raises:
        ValueError: a file's path leaves the folder.
    """
    root = folder / EXAMPLE_FOLDER
    root.mkdir()
    for name, text in files.items():
        target = root / name
        if not target.resolve().is_relative_to(root.resolve()):
            message = f"the example's file {name!r} lies outside its folder"
            raise ValueError(message)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    os.chdir(root)
    os.environ.clear()
    os.environ.update(environment(), HOME=str(folder), TMPDIR=str(folder), USER="nobody")
    sys.path.insert(0, str(root))
    sys.dont_write_bytecode = True
    return root


def limit(limits: Limits) -> None:
    """Set the kernel's limits for this process; they cannot be raised again."""
    if sys.platform == "win32":
        return
    wanted = [
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.file_size),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
    ]
    if sys.platform != "darwin":  # macOS refuses to lower it below what is mapped already
        wanted.append((resource.RLIMIT_AS, limits.address_space))
    for kind, value in wanted:
        _, hard = resource.getrlimit(kind)
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (ceiling, ceiling))


class Output(io.StringIO):
    """Standard output or error of the example, kept in memory."""

    def isatty(self) -> bool:
        """Never a terminal: nothing may colour its output or ask questions."""
        return False
