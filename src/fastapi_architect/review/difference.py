"""What a change of the code did to the findings."""

from __future__ import annotations

from fastapi_architect.findings.finding import Finding
from fastapi_architect.review.result import Review


def difference(before: Review, after: Review) -> tuple[list[Finding], list[Finding]]:
    """Findings that are gone, and those that are new, by their fingerprints."""
    were, are = ({f.fingerprint for f in each.findings} for each in (before, after))
    return (
        [f for f in before.findings if f.fingerprint not in are],
        [f for f in after.findings if f.fingerprint not in were],
    )
