"""Lines changed since a revision, as git knows them; files that git does not track yet count as changed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")


class ChangesError(Exception):
    """git cannot tell what has changed; the message names the next step."""


def changed_lines(root: Path, revision: str) -> dict[str, frozenset[int]]:
    """Path relative to `root` to the changed lines of its present text.

    Args:
        root: a folder in a git repository.
        revision: what to compare the working tree with: a branch, a tag, a commit.

    Raises:
        ChangesError: git is missing, this is no repository, or it has no such revision.
    """
    if revision.startswith("-"):
        message = f"{revision!r} is not a revision; name a branch, a tag or a commit"
        raise ChangesError(message)
    _git(root, "rev-parse", "--git-dir")
    commit = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
    text = _git(
        root,
        "diff",
        "--unified=0",
        "--no-color",
        "--no-ext-diff",
        "--relative",
        "--no-renames",
        commit,
        "--",
        ".",
    )
    changed = _parse(text)
    for path in _git(root, "ls-files", "--others", "--exclude-standard", "-z").split("\0"):
        if path.endswith(".py"):
            changed[path] = frozenset(range(1, _lines(root / path) + 1))
    return changed


def _parse(diff: str) -> dict[str, frozenset[int]]:
    changed: dict[str, set[int]] = {}
    current: set[int] = set()
    for line in diff.splitlines():
        if line.startswith("+++ "):
            name = line[4:].strip().strip('"')
            current = changed.setdefault(name.removeprefix("b/"), set())
        else:
            hunk = _HUNK.match(line)
            if hunk:
                first, count = int(hunk[1]), int(hunk[2] or 1)
                current.update(range(first, first + count))
    return {path: frozenset(lines) for path, lines in changed.items()}


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n") + 1
    except OSError:
        return 0


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), "-c", "core.quotepath=off", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, errors="surrogateescape")
    except FileNotFoundError:
        message = "git is not installed, so --changed-since cannot tell what has changed; leave it out"
        raise ChangesError(message) from None
    if done.returncode != 0:
        if "not a git repository" in done.stderr:
            message = f"{root} is not in a git repository; leave out --changed-since"
        elif arguments[0] == "rev-parse":
            message = f"git knows no revision {arguments[-1].removesuffix('^{commit}')!r} here; fetch it, or name another"
        else:
            message = f"git {arguments[0]} failed: {done.stderr.strip()}"
        raise ChangesError(message)
    return done.stdout
