"""Secrets in the code that a report shows: a page that is forwarded must not carry them further."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastapi_architect.findings.finding import Finding
from fastapi_architect.source.lazy_pattern import lazy_pattern

#: Weaknesses whose finding stands on the secret itself: CWE-259, 321, 798 and 1392.
_WEAKNESSES = frozenset({259, 321, 798, 1392})
# The last quote may be missing: the text goes on in the next line.
_QUOTED = lazy_pattern(r"""(?P<quote>["'])(?P<text>(?:\\.|(?!(?P=quote)).)+)(?P<end>(?P=quote)|$)""")
_ASSIGNED = lazy_pattern(r"(?P<key>\s*(?:export\s+|-\s+)?[\w.-]+\s*[=:]\s*)(?P<value>.*)")


def secret_lines(findings: Iterable[Finding]) -> frozenset[tuple[str, int]]:
    """(path, line) of every line that holds a secret, silenced findings included."""
    return frozenset(
        (finding.location.path, line)
        for finding in findings
        if finding.rule.cwe in _WEAKNESSES
        for line in range(
            finding.location.line, max(finding.location.line, finding.location.end_line or 0) + 1
        )
    )


def masked(line: str) -> str:
    """The line with its strings, or else the value it assigns, or else all of it as asterisks; columns stay."""
    hidden, count = _QUOTED.subn(lambda m: m["quote"] + "*" * len(m["text"]) + m["end"], line)
    if count:
        return hidden
    assigned = _ASSIGNED.fullmatch(line)
    if assigned is not None:
        return assigned["key"] + "*" * len(assigned["value"])
    return re.sub(r"\S", "*", line)
