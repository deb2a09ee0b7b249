"""Lines changed since a revision, as git knows them; files that git does not track yet count as changed."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from fastapi_architect.source.lazy_pattern import lazy_pattern

_HUNK = lazy_pattern(r"^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = lazy_pattern(r"\\([0-7]{3}|.)")
_ESCAPED = {"a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}


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
        "--no-textconv",
        "--text",  # a tree's own .gitattributes may call a source file binary, which would hide its changes
        "--src-prefix=a/",
        "--dst-prefix=b/",
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


class Head(msgspec.Struct, frozen=True):
    """What is checked out.

    Attributes:
        branch: its name; None: none is (a detached HEAD), or this is no repository.
        commit: its identifier; None: there is none yet, or this is no repository.
        is_repository: whether git keeps this folder.
    """

    branch: str | None = None
    commit: str | None = None
    is_repository: bool = False


def head(path: Path) -> Head:
    """Return what git has checked out in a folder, or in that of a file."""
    root = path if path.is_dir() else path.parent
    try:
        _git(root, "rev-parse", "--git-dir")
    except ChangesError:
        return Head()
    answers = []
    for question in (("symbolic-ref", "--short", "HEAD"), ("rev-parse", "--verify", "HEAD")):
        try:
            answers.append(_git(root, *question).strip() or None)
        except ChangesError:
            answers.append(None)
    return Head(answers[0], answers[1], is_repository=True)


def uncommitted(path: Path) -> tuple[str, ...]:
    """Files below a folder, or one file, that are not as git has them: changed ones, and new Python files.

    None where there is no repository, or no git.
    """
    root, only = (path, ".") if path.is_dir() else (path.parent, path.name)
    try:
        listed = _git(
            root, "status", "--porcelain", "--no-renames", "--untracked-files=all", "-z", "--", only
        )
    except ChangesError:
        return ()
    entries = [entry for entry in listed.split("\0") if entry]
    return tuple(each[3:] for each in entries if not each.startswith("??") or each.endswith(".py"))


def is_tracked(root: Path, path: str) -> bool:
    """Whether a file is under version control, so that everybody who has the project has it; False without git."""
    try:
        return bool(_git(root, "ls-files", "-z", "--", path))
    except ChangesError:
        return False


def _parse(diff: str) -> dict[str, frozenset[int]]:
    changed: dict[str, set[int]] = {}
    current: set[int] = set()
    content = 0  # lines of the hunk that are still to come: a changed line may read like a header
    for line in diff.split("\n"):
        if content:
            content -= not line.startswith("\\")  # "\ No newline at end of file" is not counted
        elif line.startswith("+++ "):
            current = changed.setdefault(_name(line[4:]).removeprefix("b/"), set())
        elif hunk := _HUNK.match(line):
            first, count = int(hunk[2]), int(hunk[3] or 1)
            content = int(hunk[1] or 1) + count
            current.update(range(first, first + count))
    return {path: frozenset(lines) for path, lines in changed.items()}


def _name(written: str) -> str:
    """A path as `+++` writes it: a tab behind names with spaces, C escapes in quotes for unusual ones."""
    written = written.removesuffix("\t")
    if not (written.startswith('"') and written.endswith('"')):
        return written

    def plain(match: re.Match[str]) -> str:
        sign = match[1]
        return chr(int(sign, 8)) if len(sign) == 3 else _ESCAPED.get(sign, sign)

    return _ESCAPE.sub(plain, written[1:-1])


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n") + 1
    except OSError:
        return 0


def _git(root: Path, *arguments: str) -> str:
    import subprocess

    # A reviewed repository's own configuration must not name a program that git would start.
    command = [
        "git",
        "--no-optional-locks",
        "-C",
        str(root),
        "-c",
        "core.quotepath=off",
        "-c",
        "core.fsmonitor=false",
        *arguments,
    ]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        message = "git is not installed, so --changed-since cannot tell what has changed; leave it out"
        raise ChangesError(message) from None
    if done.returncode != 0:
        problem = done.stderr.decode("utf-8", "replace").strip()
        if "not a git repository" in problem:
            message = f"{root} is not in a git repository; leave out --changed-since"
        elif arguments[0] == "rev-parse":
            message = f"git knows no revision {arguments[-1].removesuffix('^{commit}')!r} here; fetch it, or name another"
        else:
            message = f"git {arguments[0]} failed: {problem}"
        raise ChangesError(message)
    return done.stdout.decode("utf-8", "surrogateescape")
