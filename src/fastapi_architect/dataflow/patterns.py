"""Which dangerous characters a regular expression lets through, read from its text; nothing is matched but one character."""

from __future__ import annotations

import re
from string import ascii_letters

from fastapi_architect.source.lazy_pattern import lazy_pattern

_ATOM = lazy_pattern(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P<\w+>|\(\?:|\{\d*,?\d*\}|.", re.DOTALL)
_SYNTAX = frozenset({"^", "$", "|", "(", ")", "*", "+", "?", "(?:", r"\A", r"\Z", r"\z", r"\b", r"\B"})
_END = lazy_pattern(r"(?<!\\)(?:\$|\\[Zz])$")
_START = lazy_pattern(r"\^|\\A")
_MAX_LENGTH = 500


def is_closed_by_itself(pattern: str) -> bool:
    """The pattern ends with the text: `$` or `\\Z` stands last. (A `$` lets one line end through.)"""
    return _END.search(pattern) is not None


def is_anchored(pattern: str) -> bool:
    """The pattern spans the whole text wherever it is searched for: `^...$`."""
    return _START.match(pattern) is not None and is_closed_by_itself(pattern)


def is_harmless(pattern: str, dangerous: str) -> bool:
    """What matches holds none of the dangerous characters, or spaces but not a single letter: dates and numbers."""
    allowed = pattern_allows(pattern, dangerous)
    if allowed == frozenset(" "):
        return pattern_allows(pattern, ascii_letters) == frozenset()
    return allowed == frozenset()


def pattern_allows(pattern: str, characters: str) -> frozenset[str] | None:
    """Those of `characters` that a whole match of `pattern` may contain; None when the pattern is not understood.

    Look-arounds, flags and overlong patterns are not understood. An alternative outside any group (`^a|b$`) is refused
    too, because the anchors belong to one side of it only.
    """
    if len(pattern) > _MAX_LENGTH or "(?" in re.sub(r"\(\?(:|P<\w+>)", "", pattern):
        return None
    found: set[str] = set()
    depth = 0
    for atom in _ATOM.findall(pattern):
        if atom.startswith("(") and atom != "(?P":
            depth += 1
        elif atom == ")":
            depth -= 1
        if atom == "|" and depth == 0:
            return None
        if atom in _SYNTAX or atom.startswith("(?P<") or (atom.startswith("{") and len(atom) > 1):
            continue
        try:
            single = re.compile(atom)
        except re.error:
            return None
        found |= {character for character in characters if single.fullmatch(character)}
    return frozenset(found)
