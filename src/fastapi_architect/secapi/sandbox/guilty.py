"""Which files end the analysis? Found by running it without some of them, as nobody else can tell.

Group testing: files that are known to go well together are added to, batch by batch, and a batch that ends the analysis is
halved. One guilty file among n takes about log2(n) + 1 runs, each with fewer files than the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from fastapi_architect.secapi.sandbox.process import Outcome


class Search(msgspec.Struct, frozen=True):
    """What a search came to.

    Attributes:
        outcome: of the run with every file but the guilty ones; None when there was none that lived.
        guilty: files to how the analysis died with them.
    """

    outcome: Outcome | None
    guilty: dict[str, str]


def find_guilty(files: Sequence[str], died: str, run: Callable[[Sequence[str]], Outcome | None]) -> Search:
    """Find the files that end the analysis.

    Args:
        files: with all of which it died.
        died: how.
        run: runs the analysis with these files alone; None when there may be no more runs.
    """
    good: list[str] = []
    best: Outcome | None = None
    guilty: dict[str, str] = {}
    #: Files that nothing is known about, and batches that certainly hold a guilty one with how they died.
    unknown: list[str] = []
    bad: list[tuple[list[str], str]] = [(list(files), died)]
    while bad or unknown:
        if not bad:
            outcome = run([*good, *unknown])
            if outcome is None:
                guilty.update(dict.fromkeys(unknown, "it was not reached before the search for others ended"))
                break
            if outcome.result is not None:
                return Search(outcome, guilty)
            bad.append((unknown, outcome.died))
            unknown = []
        batch, how = bad.pop()
        if len(batch) == 1:
            guilty[batch[0]] = how
            continue
        first, second = batch[: len(batch) // 2], batch[len(batch) // 2 :]
        outcome = run([*good, *first])
        if outcome is None:
            guilty.update(dict.fromkeys(batch, f"one of {len(batch)} files with which {how}"))
            for others, other in bad:
                guilty.update(dict.fromkeys(others, f"one of {len(others)} files with which {other}"))
            guilty.update(dict.fromkeys(unknown, "it was not reached before the search for others ended"))
            break
        if outcome.result is not None:
            good += first
            best = outcome
            bad.append((second, how))
        else:
            unknown = [*second, *unknown]
            bad.append((first, outcome.died))
    return Search(best, guilty)
