"""The floor that speed is compared with: read and ``ast.parse`` the same files, nothing else.

    python benchmarks/floor.py DIRECTORY

One process, garbage collection off, each tree dropped before the next file is read. Prints one JSON line; the
CPU in it is user + system of the whole process, with start-up and imports.
"""

import ast
import gc
import json
import os
import sys
import warnings

SKIPPED = frozenset(
    {
        "__pycache__",
        ".git",
        ".hg",
        ".venv",
        "venv",
        "node_modules",
        "site-packages",
        ".tox",
        ".nox",
        ".mypy_cache",
    }
)


def python_files(directory: str) -> list[str]:
    """Python files below a directory, in a fixed order; environments and version control left out."""
    found = []
    stack = [directory]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in SKIPPED:
                        stack.append(entry.path)
                elif entry.name.endswith(".py") and entry.is_file():
                    found.append(entry.path)
    return sorted(found)


def main() -> int:
    """Parses all files and prints what it took."""
    gc.disable()
    warnings.simplefilter("ignore")
    lines = failed = 0
    files = python_files(sys.argv[1])
    for path in files:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib would be part of what is measured
            content = file.read()
        lines += content.count(b"\n")
        try:
            ast.parse(content)
        except (SyntaxError, ValueError, RecursionError):
            failed += 1
    used = os.times()
    figures = {
        "files": len(files),
        "lines": lines,
        "failed": failed,
        "cpu": round(used.user + used.system, 3),
    }
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
