"""By what an imported finding is known again in the next file.

Its print has the form of the engine's (`fastapi_architect.findings.fingerprint`), so that scans are compared by one function, and
can be no other's: what comes first in it begins with `i`, which no digest of the engine does, and is a digest of the source and
the rule among others.

What a result is known by, the first of these that it has:

1. `fingerprints` (SARIF 2.1.0, 3.27.17): each of them identifies the result. The first by name counts, as tools add versions.
2. `partialFingerprints` (3.27.18): `primaryLocationLineHash`, which is what GitHub follows alerts by; else all of them but those of
   columns, which change when code is indented.
3. the rule, the file, and the flagged lines, or where the tool quotes none its message, in which numbers do not count. The file is
   part of it, as "`os` imported but unused" says the same everywhere: what somebody decided about one of these must not pass to
   another in another file.

Semgrep writes the fingerprint "requires login" into every result of who has not signed in. A fingerprint that results of several
rules share, or that is no single word, identifies nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from fastapi_architect.findings.fingerprint import VERSION, numbered
from fastapi_architect.secapi.imports.log import Result

_LINE_HASH = "primaryLocationLineHash"
_COLUMN = re.compile(r"column", re.IGNORECASE)
_SPACES, _NUMBERS = re.compile(r"\s+"), re.compile(r"\d+")


class Trait(msgspec.Struct, frozen=True):
    """What identity is made of.

    Attributes:
        rule: the rule's identifier.
        path: the file; line, column: in it. Only their order counts.
        symbol: of the enclosing function or class, where the tool names it.
        given: fingerprints of the tool.
        partial: partial ones.
        snippet: the flagged lines, "" where the tool quotes none.
        message: of the result.
    """

    rule: str
    path: str
    line: int
    column: int
    symbol: str
    given: Mapping[str, str]
    partial: Mapping[str, str]
    snippet: str
    message: str

    @classmethod
    def of(cls, result: Result, rule: str, path: str, line: int, symbol: str, message: str) -> Trait:
        """What identifies a result."""
        place = result.locations[0].physical_location if result.locations else None
        region = None if place is None else place.region
        snippet = None if region is None or region.snippet is None else region.snippet.text
        column = 0 if region is None else region.start_column or 0
        return cls(
            rule, path, line, column, symbol, result.fingerprints or {}, result.partial_fingerprints or {},
            snippet or "", message,
        )  # fmt: skip


def fingerprints(source: str, traits: Sequence[Trait]) -> tuple[str, ...]:
    """The fingerprint of each result, in the order given; all results of one source belong in one call.

    Args:
        source: of all of them.
        traits: of each.
    """
    empty = _that_identify_nothing(traits)
    stems = [
        f"{VERSION}:i{_hash(source, each.rule, *_content(each, empty), length=31)}:{_hash(each.symbol, length=8)}"
        for each in traits
    ]
    return numbered(stems, [(each.path, each.line, each.column) for each in traits])


def _content(trait: Trait, empty: frozenset[str]) -> tuple[str, ...]:
    for name in sorted(trait.given):
        if trait.given[name] not in empty:
            return "given", name, trait.given[name]
    if trait.partial.get(_LINE_HASH):
        return "line", trait.partial[_LINE_HASH]
    lasting = [name for name in sorted(trait.partial) if not _COLUMN.search(name)]
    if lasting:
        return "partial", *(part for name in lasting for part in (name, trait.partial[name]))
    if trait.snippet.strip():
        return "snippet", trait.path, _SPACES.sub(" ", trait.snippet).strip()
    return "message", trait.path, _NUMBERS.sub("0", _SPACES.sub(" ", trait.message)).strip()


def _that_identify_nothing(traits: Sequence[Trait]) -> frozenset[str]:
    """Fingerprints that are none. Partial ones are left alone: two rules may well flag one line."""
    rules: dict[str, set[str]] = defaultdict(set)
    for each in traits:
        for value in each.given.values():
            rules[value].add(each.rule)
    return frozenset(
        value for value, of in rules.items() if not value or len(of) > 1 or _SPACES.search(value) is not None
    )


def _hash(*parts: str, length: int) -> str:
    # Lengths before texts: no two lists of parts have the same digest because one ends where another begins.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]
