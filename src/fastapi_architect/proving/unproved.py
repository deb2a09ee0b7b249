"""`python -m fastapi_architect.proving.unproved`: rules without a demonstration, and why."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.rules.kit import Rule


def unproved(rules: Iterable[Rule]) -> list[tuple[str, str]]:
    """Names and reasons of rules without a demonstration, in order; "" where no reason is given."""
    return [(rule.name, rule.no_proof) for rule in rules if rule.demonstration is None]


def main() -> int:
    """Print the list; 1 when a rule gives no reason."""
    rules = all_rules()
    listed = unproved(rules.values())
    sys.stdout.write(
        f"{len(rules) - len(listed)} of {len(rules)} rules prove themselves; without a run-time effect:\n"
    )
    for name, reason in listed:
        sys.stdout.write(f"  {name}: {reason or 'NO REASON GIVEN'}\n")
    return int(any(not reason for _, reason in listed))


if __name__ == "__main__":
    sys.exit(main())
