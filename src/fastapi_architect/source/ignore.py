"""Ignore patterns with the semantics that git documents for `.gitignore`.

A pattern without a slash (but for one at its end) matches a name at any depth; with one it is anchored to the
folder of its file. `**` spans folders, a slash at the end means folders only, `!` takes an earlier match
back, the last match decides, and what lies below an ignored folder is never looked at (the walk does not
enter it).

Trap: the patterns come from the reviewed tree. A `*` is matched without backtracking (atomic groups; two
pointers over path components), so that no pattern is slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

_MAX_PATTERNS = 10_000
_CLASSES = {
    "[:alnum:]": "0-9A-Za-z",
    "[:alpha:]": "A-Za-z",
    "[:blank:]": " \\t",
    "[:digit:]": "0-9",
    "[:lower:]": "a-z",
    "[:punct:]": "!-/:-@\\[-`{-~",
    "[:space:]": "\\s",
    "[:upper:]": "A-Z",
    "[:xdigit:]": "0-9A-Fa-f",
}


class _PathPattern(msgspec.Struct, frozen=True):
    """A pattern with a slash: one compiled expression a component, None for `**`."""

    components: tuple[re.Pattern[str] | None, ...]
    folders_only: bool

    def matches(self, parts: Sequence[str]) -> bool:
        """Match all of the path; after a mismatch only the last `**` takes one component more."""
        wanted = self.components
        at = here = 0
        star = resume = -1
        while here < len(parts):
            component = wanted[at] if at < len(wanted) else None
            if at < len(wanted) and component is None:
                star, resume = at, here
                at += 1
            elif component is not None and component.fullmatch(parts[here]):
                at += 1
                here += 1
            elif star >= 0:
                resume += 1
                at, here = star + 1, resume
            else:
                return False
        return at == len(wanted)


class _Group(msgspec.Struct):
    """Neighbouring patterns that all ignore, or all take back: their order does not matter."""

    negated: bool
    names: set[str]
    folder_names: set[str]
    suffixes: tuple[str, ...]
    name: re.Pattern[str] | None
    folder_name: re.Pattern[str] | None
    paths: list[_PathPattern]

    def matches(self, name: str, parts: Sequence[str], is_folder: bool) -> bool:
        if name in self.names or (self.suffixes and name.endswith(self.suffixes)):
            return True
        if self.name is not None and self.name.fullmatch(name):
            return True
        if is_folder and (
            name in self.folder_names or (self.folder_name is not None and self.folder_name.fullmatch(name))
        ):
            return True
        return any(pattern.matches(parts) for pattern in self.paths if is_folder or not pattern.folders_only)


class IgnorePatterns:
    """The patterns of one ignore file (or of a list), to be asked about paths below its folder."""

    __slots__ = ("_groups",)

    def __init__(self, lines: Iterable[str]) -> None:
        groups: list[_Group] = []
        pending: list[tuple[str, bool, bool]] = []
        negated = False
        for count, line in enumerate(lines):
            if count >= _MAX_PATTERNS:
                break
            parsed = _parse(line)
            if parsed is None:
                continue
            pattern, is_negated, folders_only, anchored = parsed
            if pending and is_negated != negated:
                groups.append(_group(pending, negated))
                pending = []
            negated = is_negated
            pending.append((pattern, folders_only, anchored))
        if pending:
            groups.append(_group(pending, negated))
        self._groups = groups[::-1]

    def __bool__(self) -> bool:
        return bool(self._groups)

    def verdict(self, parts: Sequence[str], is_folder: bool) -> bool | None:
        """Whether the path (components below the file's folder) is ignored; None when no pattern matches."""
        name = parts[-1]
        for group in self._groups:
            if group.matches(name, parts, is_folder):
                return not group.negated
        return None


def _parse(line: str) -> tuple[str, bool, bool, bool] | None:
    """A line's pattern; whether it is negated, for folders only, anchored. None when it has none."""
    pattern = line.rstrip("\r\n")
    while pattern.endswith((" ", "\t")) and not pattern.endswith(("\\ ", "\\\t")):
        pattern = pattern[:-1]
    if not pattern or pattern.startswith("#"):
        return None
    negated = pattern.startswith("!")
    if negated:
        pattern = pattern[1:]
    folders_only = pattern.endswith("/")
    if folders_only:
        pattern = pattern[:-1]
    anchored = "/" in pattern
    pattern = pattern.removeprefix("/")
    if not pattern:
        return None
    return pattern, negated, folders_only, anchored


def _group(patterns: list[tuple[str, bool, bool]], negated: bool) -> _Group:
    group = _Group(negated, set(), set(), (), None, None, [])
    suffixes: list[str] = []
    expressions: list[str] = []
    folder_expressions: list[str] = []
    for pattern, folders_only, anchored in patterns:
        if anchored:
            compiled = _path_pattern(pattern, folders_only)
            if compiled is not None:
                group.paths.append(compiled)
        elif not re.search(r"[*?\[\\]", pattern):
            (group.folder_names if folders_only else group.names).add(pattern)
        elif re.fullmatch(r"\*[^*?\[\\]+", pattern) and not folders_only:
            suffixes.append(pattern[1:])
        elif (expression := _expression(pattern)) is not None:
            (folder_expressions if folders_only else expressions).append(expression)
    group.suffixes = tuple(suffixes)
    group.name = re.compile("|".join(expressions), re.DOTALL) if expressions else None
    group.folder_name = re.compile("|".join(folder_expressions), re.DOTALL) if folder_expressions else None
    return group


def _path_pattern(pattern: str, folders_only: bool) -> _PathPattern | None:
    components: list[re.Pattern[str] | None] = []
    # An escaped slash is a slash: `a\/b` has two components.
    for component in re.sub(r"\\(.)", lambda m: "/" if m[1] == "/" else m[0], pattern).split("/"):
        if len(component) > 1 and not component.strip("*"):  # `**`; git takes `***` for the same
            if not components or components[-1] is not None:
                components.append(None)
            continue
        expression = _expression(component)
        if expression is None:
            return None
        components.append(re.compile(expression, re.DOTALL))
    if components and components[-1] is None:
        # `folder/**` matches what is inside, not the folder itself.
        components.append(re.compile(".+", re.DOTALL))
    return _PathPattern(tuple(components), folders_only)


def _expression(glob: str) -> str | None:
    """A regular expression for one component; None when the pattern is invalid: git matches nothing then."""
    pieces: list[str] = [""]
    at = 0
    while at < len(glob):
        character = glob[at]
        at += 1
        if character == "*":
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
        elif character == "?":
            pieces[-1] += "."
        elif character == "[":
            bracket = _bracket(glob, at)
            if bracket is None:
                return None
            expression, at = bracket
            pieces[-1] += expression
        elif character == "\\":
            if at == len(glob):
                return None
            pieces[-1] += re.escape(glob[at])
            at += 1
        else:
            pieces[-1] += re.escape(character)
    # The shortest stretch before each literal is always enough: atomic groups keep that choice.
    if len(pieces) == 1:
        return pieces[0]
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1])
    return f"{pieces[0]}{middle}.*{pieces[-1]}"


def _bracket(glob: str, at: int) -> tuple[str, int] | None:
    """The character class that begins behind `[`, and where it ends; None when it is no class."""
    negated = at < len(glob) and glob[at] in "!^"
    at += negated
    members = ""
    first = True
    while at < len(glob) and (first or glob[at] != "]"):
        first = False
        named = next((name for name in _CLASSES if glob.startswith(name, at)), None)
        if named is not None:
            members += _CLASSES[named]
            at += len(named)
            continue
        if glob[at] == "\\":
            at += 1
            if at == len(glob):
                return None
        member = glob[at]
        members += member if member == "-" else re.escape(member)
        at += 1
    if at >= len(glob):
        return None
    expression = f"[{'^' if negated else ''}{members}]"
    try:
        re.compile(expression)
    except re.error:  # such as `[z-a]`
        return None
    return expression, at + 1
