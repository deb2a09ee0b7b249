"""The only identity of a finding across scans, and how two scans are paired.

A fingerprint reads `v1:CONTENT:SYMBOL:ORDINAL`:

CONTENT  hash of the rule's name and the tokens of the flagged statement. Comments, indentation, line
breaks, the
         kind of quotes and a trailing comma do not count; the enclosing symbol's own name is replaced by
         `@`, so that a flagged `def` line survives its renaming.
SYMBOL   hash of the enclosing symbol's last name; of nothing for code at module level.
ORDINAL  1, 2, ... among findings that are equal so far, in the order of path and line.

Neither the path nor a line number goes in. So it is the same after lines are inserted above, after
reindenting, after moving the function within its file or to another one, and after renaming the file. Two
scans are compared by `match`, which pairs what is left over by weaker keys (a renamed function keeps
CONTENT). A flagged statement that was itself edited is new on purpose: nobody has judged it yet.

The version changes when any of this does; prints of different versions never match.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from fastapi_architect.source.lazy_pattern import lazy_pattern

VERSION = "v1"

_TOKEN = lazy_pattern(
    r"""(?P<comment>\#[^\n]*)
      | (?P<string>(?P<prefix>[A-Za-z]{0,2})
            (?P<quote>\"{3}|'{3}|\"|')(?P<inside>(?:\\.|(?!(?P=quote)).)*)(?P=quote))
      | (?P<word>\w+)
      | (?P<space>\s+)
      | (?P<sign>[^\s\w])""",
    re.VERBOSE | re.DOTALL,
)
_CLOSING = frozenset(")]}")


class Place(msgspec.Struct, frozen=True):
    """What identity is made of.

    Attributes:
        rule: the rule's name.
        path: the file, relative, with forward slashes.
        line: first line, from 1; column: from 0. Only their order counts.
        symbol: qualified name of the enclosing function, class or module.
        text: the lines of the flagged statement as they stand in the file.
    """

    rule: str
    path: str
    line: int
    symbol: str
    text: str
    column: int = 0


class Known(msgspec.Struct, frozen=True):
    """A finding of an earlier scan, as far as pairing needs it."""

    fingerprint: str
    path: str
    line: int = 0


class FingerprintError(ValueError):
    """The text is not a fingerprint of this version."""


def fingerprints(places: Sequence[Place]) -> tuple[str, ...]:
    """The fingerprint of each place, in the order given; all findings of one scan belong in one call."""
    stems = []
    for place in places:
        tail = _symbol_tail(place)
        stems.append(f"{VERSION}:{_content(place, tail)}:{_hash(tail, length=8)}")
    return numbered(stems, [(place.path, place.line, place.column) for place in places])


def numbered(stems: Sequence[str], where: Sequence[tuple[str, int, int]]) -> tuple[str, ...]:
    """Give equal stems ordinals, in the order of where they stand: path, line and column of each."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, stem in enumerate(stems):
        groups[stem].append(index)
    ordinals = [0] * len(stems)
    for group in groups.values():
        group.sort(key=lambda index: (where[index], index))
        for ordinal, index in enumerate(group, start=1):
            ordinals[index] = ordinal
    return tuple(f"{stem}:{ordinal}" for stem, ordinal in zip(stems, ordinals, strict=True))


def match(old: Sequence[Known], new: Sequence[Known]) -> dict[int, int]:
    """Pair the findings of two scans; every one takes part in at most one pair.

    Keys from strong to weak: same content, symbol and path; same content and symbol (file renamed, or moved
    to another file); same content and path (function renamed); same content (moved and renamed). Among
    equals the order of the lines decides. Prints of another version pair with nothing.

    Returns:
        Index in `new` -> index in `old`.
    """
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for by_symbol, by_path in ((True, True), (True, False), (False, True), (False, False)):
        waiting: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for index in _in_order(old):
            if index not in taken:
                waiting[_key(old[index], by_symbol=by_symbol, by_path=by_path)].append(index)
        for index in _in_order(new):
            if index in pairs:
                continue
            candidates = waiting.get(_key(new[index], by_symbol=by_symbol, by_path=by_path))
            if candidates:
                pairs[index] = candidates.pop(0)
                taken.add(pairs[index])
    return pairs


def check(fingerprint: str) -> None:
    """Raise `FingerprintError` unless the text is a fingerprint of this version."""
    _parts(fingerprint)


def _key(known: Known, *, by_symbol: bool, by_path: bool) -> tuple[str, str, str]:
    content, symbol, _ = _parts(known.fingerprint)
    return content, symbol if by_symbol else "", known.path if by_path else ""


def _in_order(known: Sequence[Known]) -> list[int]:
    return sorted(
        range(len(known)),
        key=lambda index: (known[index].path, known[index].line, _parts(known[index].fingerprint)[2], index),
    )


def _parts(fingerprint: str) -> tuple[str, str, int]:
    parts = fingerprint.split(":")
    if len(parts) != 4 or parts[0] != VERSION or not parts[3].isdecimal():
        raise FingerprintError(f"{fingerprint!r} is not a fingerprint of version {VERSION}")
    return parts[1], parts[2], int(parts[3])


def _symbol_tail(place: Place) -> str:
    """The enclosing symbol's last name; empty at module level, whose name follows the file's."""
    tail = place.symbol.rpartition(".")[2]
    folders, _, file = place.path.rpartition("/")
    module = file.rpartition(".")[0] or file
    if module == "__init__":
        module = folders.rpartition("/")[2]
    return "" if tail == module else tail


def _content(place: Place, tail: str) -> str:
    tokens = ["@" if token == tail else token for token in _tokens(place.text)]
    return _hash(place.rule, *tokens, length=20)


def _tokens(text: str) -> list[str]:
    """Tokens of a piece of Python that need not be complete, in the form a formatter would leave alone."""
    tokens: list[str] = []
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup  # the outermost, as it is closed last
        if kind in ("comment", "space"):
            continue
        token = found[0]
        if kind == "string":
            inside = found["inside"]
            if not set(inside) & set("\"'\\"):
                token = f'{found["prefix"].lower()}"{inside}"'
        elif token in _CLOSING and tokens and tokens[-1] == ",":
            # A one-element tuple keeps its meaning in the caller's eyes: only identity is at stake here.
            tokens.pop()
        tokens.append(token)
    return tokens


def _hash(*parts: str, length: int) -> str:
    text = "\0".join(parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]
