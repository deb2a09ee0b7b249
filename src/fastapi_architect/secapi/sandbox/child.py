"""The disposable child: raises walls around itself, reviews one application root or reads one import, says what it found, and is gone.

It is started by `process.py` as `python -I -S -B -c BOOT FOLDER`, with no environment to speak of and nothing on
`sys.path` but the folders that the service itself imports from, never one of the archive.
"""

from __future__ import annotations

import contextlib
import os
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import msgspec

from fastapi_architect.report import json as json_report
from fastapi_architect.review.config import ConfigError
from fastapi_architect.review.result import Review
from fastapi_architect.secapi.imports.document import Refused
from fastapi_architect.secapi.imports.everything import encoded, read_import
from fastapi_architect.secapi.imports.limits import ImportRefused
from fastapi_architect.secapi.sandbox import job as jobs
from fastapi_architect.secapi.sandbox.job import ImportOrder, Job, Progress, Result, ReviewOrder, Walls
from fastapi_architect.secapi.sandbox.roots import tree_of
from fastapi_architect.secapi.sandbox.walls import die_with_parent, raise_walls
from fastapi_architect.secapi.trust.reviewing import review_untrusted

#: Seconds between two messages about progress.
_PAUSE = 0.2


def main(folder: Path) -> int:
    """Do the one job that lies in the folder."""
    job = msgspec.json.decode((folder / jobs.JOB_FILE).read_bytes(), type=Job)
    die_with_parent(job.parent)
    _close_streams()
    speaker = _Speaker(job)
    if isinstance(job.order, ReviewOrder):
        # Everything that is needed has to be found before the walls stand: locks, code pages, this machine's processors.
        from fastapi_architect.rules.catalog import all_rules

        all_rules()
    speaker.say(jobs.WALLS, _walls(job, folder))
    try:
        result = _review(job.order, speaker) if isinstance(job.order, ReviewOrder) else _import(job.order)
    except MemoryError:
        return jobs.OUT_OF_MEMORY
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return jobs.REFUSED
    speaker.say(jobs.RESULT, result)
    return 0


def _walls(job: Job, folder: Path) -> Walls:
    paths = sysconfig.get_paths()
    readable = {
        *job.imports,
        paths["stdlib"],
        paths["platstdlib"],
        job.order.place,
        "/lib",
        "/lib64",
        "/usr/lib",
    }
    readable |= {"/dev/urandom", "/etc/ld.so.cache", sys.base_prefix}
    return raise_walls(job.memory, job.cpu, sorted(readable), [str(folder)])


def _review(order: ReviewOrder, speaker: _Speaker) -> Result:
    tree = tree_of(order.unpacked, order.root, order.excluded)
    numbers = {path: number for number, path in enumerate(tree.python_files)}
    judged = review_untrusted(
        order.unpacked,
        order.root.path,
        tree,
        order.policy,
        progress=speaker.progress,
        at_file=lambda path: speaker.at(numbers[path]),
    )
    return Result(msgspec.Raw(_encoded(judged.review)), judged.proposals, judged.proposed)


def _import(order: ImportOrder) -> Result:
    try:
        found = read_import(Path(order.place), order.kind, order.options, order.limits)
        return Result(msgspec.Raw(encoded(found, order.result_bytes)))
    except ImportRefused as refusal:
        return Result(msgspec.Raw(msgspec.json.encode(Refused(refusal.code, refusal.message))))


def _encoded(review: Review) -> bytes:
    document = json_report.document(review)
    document["notes"] += [f"a rule failed on this code: {type(fault).__name__}" for fault in review.faults]
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_halves(document))


def _without_halves(value: Any) -> Any:
    """The value with U+FFFD for half characters, which no database can hold."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_without_halves(key): _without_halves(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_halves(each) for each in value]
    return value


class _Speaker:
    """Speaks to the service through two descriptors."""

    def __init__(self, job: Job) -> None:
        self._output = job.output
        self._status = job.status
        self._quiet_until = 0.0
        self._stage = ""

    def say(self, kind: bytes, value: Any) -> None:
        """Send one message; a service that is gone ends this process."""
        payload = msgspec.json.encode(value)
        view = memoryview(jobs.HEAD.pack(kind, len(payload)) + payload)
        while view:
            view = view[os.write(self._output, view) :]

    def progress(self, stage: str, done: int, total: int) -> None:
        """Tell how far the review is, now and then, and at the beginning of each stage."""
        self.at(jobs.NOWHERE)
        now = time.monotonic()
        if stage != self._stage or now >= self._quiet_until:
            self._stage, self._quiet_until = stage, now + _PAUSE
            self.say(jobs.PROGRESS, Progress(stage, done, total))

    def at(self, number: int) -> None:
        """Leave behind which file is parsed now: whoever finds this process dead wants to know."""
        os.pwrite(self._status, jobs.AT.pack(number), 0)


def _close_streams() -> None:
    """Have nothing that prints by mistake be taken for a message."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    with contextlib.suppress(OSError):
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)
    os.close(nowhere)
