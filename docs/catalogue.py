"""Rules built and missing, by tier and category: `make catalogue`."""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

from fastapi_architect.rules.catalog import all_rules

CATALOGUE = Path(__file__).with_name("rule_catalogue.tsv")


def main() -> int:
    """Print the table, then what is missing; fail when a rule is built that the catalogue does not know."""
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    built = all_rules()
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        count = counts[row["tier"], row["category"]]
        count[0] += row["name"] in built
        count[1] += 1
    print(f"{'tier':<8}{'category':<30}{'built':>6}{'of':>5}")
    for (tier, category), (done, total) in sorted(counts.items()):
        print(f"{tier:<8}{category:<30}{done:>6}{total:>5}")
    print(f"\n{len(built)} rules are built.")
    missing = [row for row in rows if row["name"] not in built and row["tier"] in ("1", "2")]
    print(f"\nMissing of tiers 1 and 2 ({len(missing)}):")
    for row in missing:
        print(f"  {row['tier']}  {row['category']:<28} {row['name']:<48} {row['analysis']}")
    unknown = sorted(set(built) - {row["name"] for row in rows})
    for name in unknown:
        print(f"not in the catalogue: {name}", file=sys.stderr)
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
