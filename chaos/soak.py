"""Steady load without faults, and whether anything has grown: python -m chaos.soak --minutes 30.

Every ten seconds: memory, file handles and threads of each process, connections of PostgreSQL, folders in which archives lie
open, and dead rows beside living ones. At the end a slope is drawn through each of them, by Theil and Sen: the median of the
slopes of all pairs of samples, which no single spike moves. What begins is left out.

A figure is level if over the whole of what was looked at it would have grown by less than its tolerance.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from chaos import invariants, system
from chaos.clients import Load
from chaos.installation import Installation, Process, private_folders
from chaos.ledger import Ledger

EVERY = 10.0
#: Part of the samples that is left out, as pools and caches fill.
WARM_UP = 1 / 3
#: Growth over the whole run that still counts as level: absolutely, and relative to the median.
TOLERANCE: Mapping[str, tuple[float, float]] = {
    "MB": (6.0, 0.06),
    "handles": (2.0, 0.0),
    "threads": (2.0, 0.0),
    "connections": (2.0, 0.0),
    "folders": (2.0, 0.0),
    "dead rows %": (10.0, 0.0),
}
#: Rows that are written and deleted all the time; others only grow with what people submit, which is kept.
CHURNED = ("outbox_events", "scans", "findings_in_branches", "outbox_schedule", "branches", "uploads")


@dataclass(slots=True)
class Series:
    """One figure over time."""

    name: str
    unit: str
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, at: float, value: float) -> None:
        """Keep a sample."""
        self.times.append(at)
        self.values.append(value)

    def settled(self) -> tuple[list[float], list[float]]:
        """Return the samples without those of the beginning."""
        first = int(len(self.times) * WARM_UP)
        return self.times[first:], self.values[first:]

    def growth(self) -> float:
        """Return how much it has grown over the settled samples, by the line through them."""
        times, values = self.settled()
        return slope(times, values) * (times[-1] - times[0]) if len(times) > 1 else 0.0

    def is_level(self) -> bool:
        """Tell whether that is within its tolerance."""
        absolute, relative = TOLERANCE[self.unit]
        _, values = self.settled()
        return self.growth() <= max(absolute, relative * statistics.median(values))


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Return the median of the slopes of all pairs (Theil 1950, Sen 1968)."""
    pairs = combinations(zip(times, values, strict=True), 2)
    return statistics.median(
        (later - earlier) / (at - before) for (before, earlier), (at, later) in pairs if at > before
    )


class Sampler:
    """Looks at an installation again and again.

    Args:
        installation: whose processes.
    """

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._series: dict[str, Series] = {}
        self._began = time.monotonic()
        #: A worker that is replaced, as it is after so many tasks, begins a new life with fresh memory.
        self.lives: set[int] = set()

    def series(self) -> list[Series]:
        """Return what was seen, by name."""
        return [self._series[name] for name in sorted(self._series)]

    def look(self) -> None:
        """Take one sample of everything."""
        at = time.monotonic() - self._began
        for process in self._installation.processes():
            self._look_at(process, at)
        for name, unit, value in _of_database(self._installation):
            self._add(name, unit, at, value)
        folders = sum(1 for _ in private_folders(self._installation.temporary))
        self._add("folders of open archives", "folders", at, folders)

    def _look_at(self, process: Process, at: float) -> None:
        if process.id is None:
            raise RuntimeError(f"{process.name} ended by itself: {process.log_tail()}")
        groups = {process.name: [process.id]}
        if process in self._installation.workers:
            groups[f"{process.name}, pool"] = process.children()
        for name, process_ids in groups.items():
            self.lives.update(process_ids)
            found = [figures for each in process_ids if (figures := system.figures_of(each)) is not None]
            if found:
                self._add(f"{name}: memory", "MB", at, max(each.rss for each in found) / 1e6)
                self._add(f"{name}: handles", "handles", at, max(each.files for each in found))
                self._add(f"{name}: threads", "threads", at, max(each.threads for each in found))

    def _add(self, name: str, unit: str, at: float, value: float) -> None:
        self._series.setdefault(name, Series(name, unit)).add(at, value)


def _of_database(installation: Installation) -> Iterator[tuple[str, str, float]]:
    [connections] = invariants.rows(
        installation,
        "SELECT count(*) FILTER (WHERE usename = 'secapi_app') AS app,"
        " count(*) FILTER (WHERE state LIKE 'idle in transaction%' AND now() - xact_start > interval '20 s') AS stuck"
        " FROM pg_stat_activity",
    )
    yield "connections of the application", "connections", connections["app"]
    yield "transactions left open", "connections", connections["stuck"]
    for row in invariants.rows(
        installation, "SELECT relname, n_live_tup, n_dead_tup FROM pg_stat_user_tables ORDER BY relname"
    ):
        # A table of a few rows is all dead between two visits of the vacuum.
        if row["relname"] in CHURNED:
            share = 100 * row["n_dead_tup"] / (row["n_live_tup"] + row["n_dead_tup"] + 1000)
            yield f"dead rows of {row['relname']}", "dead rows %", share


def soak(minutes: float, queue: str, pause: float, seed: int, keep: Path | None) -> int:
    """Run the load, sample, and print; 1: something has grown."""
    installation = Installation()
    # Processes of a pool are replaced from the beginning on, and not once in the middle: a new one inherits what its
    # parent has opened since the first ones were made, which is a step and no slope.
    installation.environment["CELERY_MAX_TASKS_PER_CHILD"] = "100"
    ledger = Ledger()
    stop = threading.Event()
    try:
        installation.prepare()
        installation.run_queue(queue)
        installation.wait_until_ready()
        load = Load(installation, ledger, seed)
        load.prepare()
        thread = threading.Thread(target=load.run, args=(10**9, stop), kwargs={"pause": pause}, daemon=True)
        thread.start()
        sampler = Sampler(installation)
        until = time.monotonic() + 60 * minutes
        while time.monotonic() < until:
            sampler.look()
            if keep is not None:
                keep.write_text(
                    json.dumps({each.name: [each.times, each.values] for each in sampler.series()})
                )
            time.sleep(EVERY)
        stop.set()
        thread.join(120)
        left = invariants.wait_until_quiet(installation, 120)
        states = invariants.rows(
            installation, "SELECT state, count(*) FROM scans GROUP BY state ORDER BY state"
        )
    finally:
        stop.set()
        killed = installation.stop()
        installation.clear()
    wrong = [*ledger.wrong, *load.errors, *left, *(f"{each} had to be killed" for each in killed)]
    grown = show(sampler.series())
    print(f"\n{minutes:g} minutes, queue {queue}, seed {seed}, {len(ledger.accepted)} scans accepted")
    print("states: " + ", ".join(f"{each['state']} {each['count']}" for each in states))
    print(f"answers: {dict(sorted(ledger.answers.items()))}; processes seen: {len(sampler.lives)}")
    for each in wrong:
        print(f"WRONG: {each}")
    print(f"{'NOT level' if grown else 'level'}: {len(grown)} of {len(sampler.series())} figures have grown")
    return 1 if grown or wrong else 0


def show(series: Sequence[Series]) -> list[str]:
    """Print a table in Markdown; return the names of what has grown."""
    print("| figure | unit | first | median | last | highest | growth by the line | |")
    print("|---|---|---:|---:|---:|---:|---:|---|")
    grown = []
    for each in series:
        _, values = each.settled()
        is_level = each.is_level()
        if not is_level:
            grown.append(each.name)
        figures = (values[0], statistics.median(values), values[-1], max(values))
        print(
            f"| {each.name} | {each.unit} | {' | '.join(f'{figure:.1f}' for figure in figures)} |"
            f" {each.growth():+.1f} | {'level' if is_level else 'GROWS'} |"
        )
    return grown


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m chaos.soak", description=__doc__, allow_abbrev=False)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--queue", choices=["celery", "pg"], default="celery")
    parser.add_argument(
        "--pause", type=float, default=12, help="seconds between two scans of one of six clients"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a file for all samples")
    given = parser.parse_args()
    return soak(given.minutes, given.queue, given.pause, given.seed, given.keep)


if __name__ == "__main__":
    sys.exit(main())
