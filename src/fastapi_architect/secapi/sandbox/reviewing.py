"""`review_root`: one application root of an archive, reviewed whatever its files do to the process that reads them."""

from __future__ import annotations

import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from fastapi_architect.secapi.archives.unpacked import Unpacked
from fastapi_architect.secapi.sandbox.contract import ContractBroken, checked
from fastapi_architect.secapi.sandbox.guilty import find_guilty
from fastapi_architect.secapi.sandbox.job import Job, ReviewOrder, Walls
from fastapi_architect.secapi.sandbox.process import KILLED, OnProgress, Outcome, run_child
from fastapi_architect.secapi.sandbox.roots import Root, tree_of
from fastapi_architect.secapi.sandbox.settings import SandboxLimits
from fastapi_architect.secapi.trust.claims import Proposal
from fastapi_architect.secapi.trust.policy import Policy
from fastapi_architect.source.tree import printable

_LEFT_OUT = "left out of this run"

#: What the engine imports besides the standard library.
_ENGINE = ("fastapi_architect", "msgspec", "packaging", "yaml", "rich")


class NotReviewed(Exception):
    """The root cannot be reviewed, for a reason that another attempt would meet as well.

    Attributes:
        code: stable.
        message: for the project's people.
        errors: for the log of the service: it may quote the archive.
    """

    def __init__(self, code: str, message: str, errors: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.errors = errors


class RootReview(msgspec.Struct, frozen=True):
    """What came of one application root.

    Attributes:
        root: which.
        report: as `architect review --format json` writes it, checked.
        proposals: what the archive asks to be silent about.
        proposed: fingerprints of all reported findings that it asks to be silent about.
        walls: what kept the process in that wrote the report.
        guilty: files that end the analysis and were left out, and how; they stand in `not_analysed` too.
        runs: processes that it took.
    """

    root: Root
    report: Mapping[str, Any]
    proposals: tuple[Proposal, ...]
    proposed: frozenset[str]
    walls: Walls
    guilty: Mapping[str, str]
    runs: int


def review_root(
    unpacked: Unpacked,
    root: Root,
    *,
    policy: Policy | None = None,
    limits: SandboxLimits | None = None,
    seconds: float | None = None,
    memory: int | None = None,
    base: Path | None = None,
    progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
    boot: str | None = None,
) -> RootReview:
    """Review one application root in disposable processes.

    Args:
        unpacked: the archive, whose content lies on this machine.
        root: one of `roots_of(unpacked)`.
        policy: what counts besides the code.
        limits: of time, memory and output; seconds, memory: in place of theirs.
        base: where private folders lie; the system's folder for temporary files where it is not given.
        progress: called with (stage, done, total), several times a second at most, in this thread.
        cancelled: asked twice a second whether anybody still wants the result.
        boot: the program that a child begins with, for tests.

    Raises:
        Cancelled: nobody wants the result any more.
        NotReviewed: there is no report, and why.
        OSError: no process can be started, or the disk is full: a later attempt may succeed.
    """
    limits = limits or SandboxLimits()
    if seconds is not None:
        limits = replace(limits, seconds=seconds)
    if memory is not None:
        limits = replace(limits, memory=memory)
    runner = _Runner(
        unpacked, root, policy or Policy(), limits,
        base or Path(tempfile.gettempdir()) / "fastapi-architect", progress, cancelled, boot,
    )  # fmt: skip
    outcome = runner.run()
    if outcome is not None and outcome.result is None and not outcome.refused:
        outcome = runner.without_guilty(outcome)
    if outcome is None or outcome.result is None:
        raise runner.failure()
    try:
        report = _with_guilty(checked(bytes(outcome.result.report)), runner.guilty)
    except ContractBroken as error:
        raise NotReviewed(
            "scan-result-invalid", "The analysis wrote a report that breaks its own contract.", str(error)
        ) from error
    return RootReview(
        root,
        report,
        outcome.result.proposals,
        outcome.result.proposed,
        outcome.walls,
        runner.guilty,
        runner.runs,
    )


class _Runner:
    """Runs children for one root.

    Attributes:
        guilty: files that are left out, and how the analysis died with them.
        runs: how many children there were.
    """

    def __init__(
        self,
        unpacked: Unpacked,
        root: Root,
        policy: Policy,
        limits: SandboxLimits,
        base: Path,
        progress: OnProgress | None,
        cancelled: Callable[[], bool] | None,
        boot: str | None,
    ) -> None:
        self._unpacked = unpacked
        self._root = root
        self._policy = policy
        self._limits = limits
        self._base = base
        self._progress = progress
        self._cancelled = cancelled
        self._boot = {} if boot is None else {"boot": boot}
        self._until = time.monotonic() + limits.seconds
        self._imports = engine_folders()
        tree = tree_of(unpacked, root, {})
        self._files = tree.python_files
        self._sizes = {path: stored.size for path, stored in tree.stored.files.items()} if tree.stored else {}
        self._at_work: list[str] = []
        self._last: Outcome | None = None
        self.guilty: dict[str, str] = {}
        self.runs = 0

    def run(self, only: Sequence[str] | None = None) -> Outcome | None:
        """One child; None when there may be no more of them.

        Args:
            only: the Python files that it reads; all that are not guilty where it is not given.
        """
        left = self._until - time.monotonic()
        if self.runs >= self._limits.runs or left <= 0:
            return None
        self.runs += 1
        wanted = frozenset(self._files if only is None else only) - self.guilty.keys()
        self._at_work = [path for path in self._files if path in wanted]
        size = sum(self._sizes[path] for path in self._at_work)
        reasons = {path: _LEFT_OUT for path in self._files if path not in wanted}

        def job(output: int, status: int) -> Job:
            return Job(
                ReviewOrder(self._unpacked, self._root, self._policy, reasons),
                self._limits.memory_of(size), self._limits.cpu_of(size), self._imports, output, status,
                os.getpid(),
            )  # fmt: skip

        self._last = run_child(
            job, self._base,
            seconds=left, result_bytes=self._limits.result_bytes, progress=self._progress, cancelled=self._cancelled,
            **self._boot,
        )  # fmt: skip
        return self._last

    def without_guilty(self, outcome: Outcome) -> Outcome | None:
        """The outcome without the files that end the analysis; None when there is no such thing in the time at hand.

        Args:
            outcome: of a run with all files, which died.
        """
        if outcome.died == KILLED:  # by somebody who was short of memory, perhaps: once is no proof
            again = self.run()
            if again is None or again.result is not None:
                return again
            outcome = again
        innocent: set[str] = set()
        while outcome.at is not None and outcome.at < len(self._at_work):
            suspect = self._at_work[outcome.at]
            if suspect in innocent:
                break
            probe = self.run([suspect])
            if probe is None:
                return None
            if probe.result is None:
                self.guilty[suspect] = probe.died
            else:  # what came before it took the memory that it lacked
                innocent.add(suspect)
            again = self.run()
            if again is None or again.result is not None:
                return again
            outcome = again
        files = [path for path in self._files if path not in self.guilty]
        if not files:
            return None
        search = find_guilty(files, outcome.died, self.run)
        self.guilty.update(search.guilty)
        return search.outcome

    def failure(self) -> NotReviewed:
        """Why there is no report."""
        last = self._last
        if last is not None and last.refused:
            return NotReviewed(
                "scan-policy-invalid", f"The project's settings cannot be used: {last.refused}"
            )
        how = last.died if last is not None else ""
        if time.monotonic() >= self._until:
            message = f"The analysis did not end within {self._limits.seconds:g} seconds ({how})."
            return NotReviewed("scan-took-too-long", message, last.errors if last is not None else "")
        message = f"The analysis does not live through this code ({how}), whichever of its files is left out."
        return NotReviewed("scan-died", message, last.errors if last is not None else "")


def _with_guilty(report: dict[str, Any], guilty: Mapping[str, str]) -> dict[str, Any]:
    """The report, which says of the files that were left out how the analysis died with them."""
    reasons = {printable(path): f"the analysis of it was ended: {how}" for path, how in guilty.items()}
    report["not_analysed"] = [
        {**each, "reason": reasons[each["file"]]}
        if each["reason"] == _LEFT_OUT and each["file"] in reasons
        else each
        for each in report["not_analysed"]
    ]
    return report


def engine_folders() -> tuple[str, ...]:
    """The folders that the engine is imported from, this process's own order kept."""
    found: dict[str, None] = {}
    for name in _ENGINE:
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            message = f"the package {name} is not installed"
            raise ModuleNotFoundError(message)
        found[str(Path(next(iter(spec.submodule_search_locations))).resolve().parent)] = None
    return tuple(found)
