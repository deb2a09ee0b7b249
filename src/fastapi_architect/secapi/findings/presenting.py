"""A finding and its place in a branch, as one thing for members."""

from typing import Any

from .repository import Placed
from .schemas import WholeFinding


def whole(found: Placed) -> WholeFinding:
    """Return it with all that is known of it."""
    row = found.finding
    more = {
        "approved_by": row.approved_by,
        "triaged_by": row.triaged_by,
        "triaged_at": row.triaged_at,
        "fingerprint": row.fingerprint,
        "document": found.place.document,
    }
    return WholeFinding.model_validate(_fields(found) | more)


def _fields(found: Placed) -> dict[str, Any]:
    row, place = found.finding, found.place
    of_row = (
        "id", "project_id", "source", "rule", "title", "category", "severity", "confidence", "cwe", "cvss_score",
        "triage", "reason", "expires_at", "created_at", "version",
    )  # fmt: skip
    of_place = ("root", "file", "line", "presence", "is_proposed_ignored", "first_scan_id", "last_scan_id")
    return {
        "branch": found.branch,
        **{name: getattr(row, name) for name in of_row},
        **{name: getattr(place, name) for name in of_place},
    }
