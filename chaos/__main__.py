"""`make chaos`, and with --without the proof that it can fail."""

from __future__ import annotations

import argparse
import sys

from chaos.drama import Script, play
from chaos.faults import WEIGHTS
from chaos.without import DEFENCES


def main() -> int:
    """Run what is asked for; 1: a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__, allow_abbrev=False)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scans", type=int, default=220)
    parser.add_argument("--queue", choices=["celery", "pg"], action="append", help="may be repeated (both)")
    parser.add_argument(
        "--only", choices=sorted(WEIGHTS), action="append", default=[], help="kinds of faults"
    )
    parser.add_argument("--pause", type=float, default=2.5, help="seconds between two faults")
    parser.add_argument("--patience", type=float, default=300, help="seconds until all is quiet")
    parser.add_argument("--without", choices=sorted(DEFENCES), help="take out a defence, and see it red")
    parser.add_argument("--think", type=float, default=4.0, help="seconds between two scans of a client")
    parser.add_argument(
        "--quick", action="store_true", help="each fault once, nothing compared with quiet scans"
    )
    given = parser.parse_args()
    script = Script(
        given.seed, given.scans, given.queue or ("celery", "pg"), given.without, given.only, given.pause, given.patience,
        think=given.think, quick=given.quick,
    )  # fmt: skip
    return 1 if play(script).wrong else 0


if __name__ == "__main__":
    sys.exit(main())
