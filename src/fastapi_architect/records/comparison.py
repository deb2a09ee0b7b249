"""What the review said before some work and after it: score, counts, and which findings went and came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from fastapi_architect.findings.severity import Severity
from fastapi_architect.records.errors import RecordError
from fastapi_architect.review.result import Review


class Seen(msgspec.Struct, frozen=True):
    """One finding as a record keeps it: no code, no message, which may quote a secret."""

    fingerprint: str
    rule: str
    severity: str
    file: str
    line: int


class Standing(msgspec.Struct, frozen=True):
    """One review.

    Attributes:
        score: 0 to 100.
        findings: all that were active.
    """

    score: int
    findings: tuple[Seen, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Number of findings of each severity, the gravest first."""
        counted = Counter(each.severity for each in self.findings)
        return {each.value: counted[each.value] for each in reversed(Severity)}


class Comparison(msgspec.Struct, frozen=True):
    """Two reviews of the same project."""

    before: Standing
    after: Standing

    @property
    def went(self) -> tuple[Seen, ...]:
        """Findings that are gone."""
        return _without(self.before, self.after)

    @property
    def came(self) -> tuple[Seen, ...]:
        """Findings that are new."""
        return _without(self.after, self.before)


def standing_of(review: Review) -> Standing:
    """What a record keeps of a review."""
    return Standing(
        review.score.value,
        tuple(
            Seen(
                each.fingerprint or "",
                each.rule.name,
                each.severity.value,
                each.location.path,
                each.location.line,
            )
            for each in review.findings
        ),
    )


def standing_of_report(report: Any, name: str) -> Standing:
    """The same of a report that `architect review --format json` wrote.

    Args:
        report: the decoded document.
        name: of its file, for messages.

    Raises:
        RecordError: it is none.
    """
    try:
        data: Mapping[str, Any] = report
        seen = msgspec.convert(data["findings"], tuple[Seen, ...])
        return Standing(msgspec.convert(data["score"], int), seen)
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        message = (
            f"{name} is no report of a review; write one: architect review --format json --output {name}"
        )
        raise RecordError(message) from error


def _without(some: Standing, others: Standing) -> tuple[Seen, ...]:
    known = {each.fingerprint for each in others.findings}
    return tuple(each for each in some.findings if each.fingerprint not in known)
