"""The order of events: quiet scans, faults under load for each queue, calm, and then every promise is checked."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from chaos import invariants, system
from chaos.archives import BY_NAME
from chaos.clients import Load
from chaos.faults import Saboteur, plan
from chaos.installation import Installation
from chaos.invariants import Verdict
from chaos.ledger import Ledger
from chaos.poisoning import Poisoning
from chaos.without import ARCHIVES, DROP_CONSTRAINT, FAULTS


@dataclass(frozen=True, slots=True)
class Script:
    """What a run is made of.

    Attributes:
        seed: of what is submitted, and of the faults.
        scans: of all queues together.
        queues: one after the other, on the same database.
        without: a defence that is taken out.
        only: kinds of faults; empty: all.
        pause: seconds between two faults, on average.
        patience: seconds until all is quiet after the last fault.
        organisations: that submit.
        think: seconds between two scans of a client, on average.
        quick: each kind of fault comes once, and results are not compared with those of quiet scans.
    """

    seed: int = 1
    scans: int = 220
    queues: Sequence[str] = ("celery", "pg")
    without: str | None = None
    only: Sequence[str] = ()
    pause: float = 2.5
    patience: float = 300.0
    organisations: int = 3
    think: float = 4.0
    quick: bool = False


@dataclass(slots=True)
class Timeline:
    """What happened when, printed as it happens."""

    lines: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def say(self, line: str) -> None:
        """Keep and print a line."""
        stamped = f"[{time.monotonic() - self.began:7.2f}] {line}"
        self.lines.append(stamped)
        print(stamped, flush=True)


def play(script: Script) -> Verdict:
    """Run the whole of it, and return what was wrong."""
    timeline = Timeline()
    timeline.say(f"seed {script.seed}: {script.scans} scans, queues {', '.join(script.queues)}")
    namespaces = system.network_namespaces(iter([1, os.getpid()]))
    installation = Installation(script.without, script.organisations)
    timeline.say(f"everything of this run lies in {installation.folder}")
    poisoning = Poisoning(installation)
    verdict = Verdict()
    try:
        installation.prepare()
        _take_out(installation, script)
        poisoning.start()
        verdict = _play(script, installation, timeline, poisoning)
    finally:
        poisoning.end()
        killed = installation.stop()
        verdict.expect(not killed, f"processes that did not end when they were asked to: {killed}")
        invariants.check_leftovers(installation, verdict, namespaces)
        if verdict.wrong:
            timeline.say(f"logs are kept in {installation.folder / 'logs'}")
        else:
            installation.clear()
    for name, figure in verdict.figures.items():
        timeline.say(f"{name}: {json.dumps(figure, default=str)}")
    for wrong in verdict.wrong:
        timeline.say(f"WRONG: {wrong}")
    timeline.say(
        f"{'RED' if verdict.wrong else 'green'}: seed {script.seed}, {len(verdict.wrong)} promises broken"
    )
    return verdict


def _play(script: Script, installation: Installation, timeline: Timeline, poisoning: Poisoning) -> Verdict:
    ledger = Ledger()
    first = [BY_NAME[name] for name in ARCHIVES.get(script.without or "", ())]
    load = Load(installation, ledger, script.seed, first)
    workers = 1 if script.quick else 2
    installation.run_queue(script.queues[0 if script.quick else -1], workers)
    installation.wait_until_ready()
    load.prepare()
    if not script.quick:
        invariants.submit_quietly(load, list(installation.passwords), script.seed)
    left = invariants.wait_until_quiet(installation, script.patience)
    if left:
        return Verdict([f"before anything was broken: {each}" for each in left])
    quiet = invariants.outcomes(installation)
    timeline.say(f"quiet: { ({name: each.counts or each.error_code for name, each in quiet.items()}) }")
    counts: dict[str, int] = {}
    errors: list[str] = []
    for number, queue in enumerate(script.queues):
        share = script.scans // len(script.queues) + (number < script.scans % len(script.queues))
        if not script.quick or number:
            installation.run_queue(queue, workers)
        timeline.say(f"queue {queue}: {share} scans")
        saboteur = Saboteur(installation, timeline.say)
        _storm(script, queue, share, load, saboteur)
        timeline.say(f"queue {queue}: {len(ledger.accepted)} scans accepted so far; the faults end")
        saboteur.calm_down()
        left = invariants.wait_until_quiet(installation, script.patience)
        errors += saboteur.errors + left
        timeline.say(f"queue {queue}: {'quiet' if not left else f'NOT quiet after {script.patience:g} s'}")
        for kind, count in saboteur.counts.items():
            counts[kind] = counts.get(kind, 0) + count
    installation.wait_until_ready()
    if not script.without:
        _retry_dead(installation, ledger, load, timeline, script)
    verdict = invariants.check(installation, ledger, load, quiet)
    verdict.wrong[:0] = errors
    verdict.figures["faults"] = dict(sorted(counts.items()))
    verdict.figures["processes killed by poison"] = poisoning.kills
    swallowed = any(each.sample == "poison" for each in ledger.accepted.values())
    verdict.expect(
        poisoning.kills > 0 or not swallowed,
        "poison was submitted, and killed nobody: where do archives lie open now?",
    )
    verdict.figures["starts"] = {each.name: each.starts for each in installation.processes()}
    return verdict


def _storm(script: Script, queue: str, share: int, load: Load, saboteur: Saboteur) -> None:
    """Make faults while the load lasts, and at least each kind once."""
    over = threading.Event()

    def run() -> None:
        try:
            load.run(share, threading.Event(), pause=script.think)
        finally:
            over.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    only = script.only or FAULTS.get(script.without or "", ())
    began = time.monotonic()
    faults = plan(script.seed, queue, only=only, pause=script.pause)
    for fault in islice(faults, len(only)) if script.quick else faults:
        while time.monotonic() - began < fault.at and not over.is_set():
            saboteur.keep_running()
            over.wait(0.2)
        if over.is_set():
            break
        saboteur.make(fault)
        saboteur.keep_running()
    while not over.wait(0.2):
        saboteur.keep_running()
    thread.join()


def _retry_dead(
    installation: Installation, ledger: Ledger, load: Load, timeline: Timeline, script: Script
) -> None:
    """Try again what died of the faults: nothing of it is lost either."""
    samples = {each.scan_id: each for each in ledger.scans()}
    dead = [
        str(each["id"]) for each in invariants.rows(installation, "SELECT id FROM scans WHERE state = 'dead'")
    ]
    again = [each for each in dead if each in samples and samples[each].sample not in ("poison", "vanishing")]
    timeline.say(f"dead: {len(dead)}, of which {len(again)} are tried again, now that nothing is broken")
    for scan_id in again:
        client = load.client(f"{samples[scan_id].organisation}@example.com", scan_id)
        client.call("POST", f"/api/v1/scans/{scan_id}/retry", expected=(200,))
        client.close()
    if not again:
        return
    invariants.wait_until_quiet(installation, script.patience)
    for scan in invariants.rows(installation, "SELECT id, state, error FROM scans WHERE state = 'dead'"):
        if str(scan["id"]) in again:
            ledger.object(f"scan {scan['id']} died without a fault: {scan['error']}")


def _take_out(installation: Installation, script: Script) -> None:
    if script.without == "constraint":
        with installation.connect() as connection:
            connection.execute(DROP_CONSTRAINT)
