"""`read_untrusted`: what other tools found, read from a file that may have been written to break its reader."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from fastapi_architect.secapi.imports.document import Imported, Refused
from fastapi_architect.secapi.imports.limits import ImportLimits, ImportRefused, Refusal
from fastapi_architect.secapi.imports.options import ImportKind, ImportOptions
from fastapi_architect.secapi.sandbox.contract import ContractBroken, checked_import
from fastapi_architect.secapi.sandbox.job import ImportOrder, Job, Walls
from fastapi_architect.secapi.sandbox.process import KILLED, Outcome, run_child
from fastapi_architect.secapi.sandbox.reviewing import engine_folders

#: Bytes of address space and seconds of processor time: all limits of a file together, twice over.
_MEMORY, _CPU = 2 * 2**30, 60
_SECONDS = 120.0
_RESULT_BYTES = 128_000_000
#: One that somebody killed is tried once more: it may have been for want of memory elsewhere.
_RUNS = 2


class ImportReading(msgspec.Struct, frozen=True):
    """What was read, checked.

    Attributes:
        imported: what each source found.
        walls: what kept the process in that read it.
    """

    imported: list[Imported]
    walls: Walls


def read_untrusted(
    file: Path,
    kind: ImportKind,
    options: ImportOptions,
    *,
    limits: ImportLimits | None = None,
    memory: int = _MEMORY,
    result_bytes: int = _RESULT_BYTES,
    seconds: float = _SECONDS,
    base: Path | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImportReading:
    """Read a file in a disposable process.

    Args:
        file: as it was uploaded.
        kind: what it claims to be.
        options: of the submission.
        limits: how much of it is taken.
        memory: bytes of address space, at most.
        result_bytes: of what was read.
        seconds: of wall clock.
        base: where private folders lie; the system's folder for temporary files where it is not given.
        cancelled: asked twice a second whether anybody still wants the result.

    Raises:
        ImportRefused: it is not what it claims to be, breaks a limit, or ends the process that reads it.
        Cancelled: nobody wants the result any more.
        OSError: no process can be started: a later attempt may succeed.
    """
    imports = engine_folders()
    order = ImportOrder(str(file), kind, options, limits or ImportLimits(), result_bytes)
    base = base or Path(tempfile.gettempdir()) / "fastapi-architect"
    until = time.monotonic() + seconds

    def job(output: int, status: int) -> Job:
        return Job(order, min(memory, _MEMORY), _CPU, imports, output, status, os.getpid())

    for _ in range(_RUNS):
        left = until - time.monotonic()
        # Beside the result stands what a result always has.
        outcome = run_child(job, base, seconds=left, result_bytes=result_bytes + 1_000, cancelled=cancelled)
        if outcome.died != KILLED:
            break
    return _read(outcome, seconds, is_late=time.monotonic() >= until)


def _read(outcome: Outcome, seconds: float, *, is_late: bool) -> ImportReading:
    if outcome.result is None:
        how = outcome.died or outcome.refused
        if is_late:
            message = f"The file was not read within {seconds:g} seconds. Have the tool report less."
            raise ImportRefused(Refusal.TOOK_TOO_LONG, message, outcome.errors)
        message = f"The process that read the file did not live through it ({how}). Have the tool report less, or send its runs one by one."
        raise ImportRefused(Refusal.DIED, message, outcome.errors)
    try:
        found = checked_import(bytes(outcome.result.report))
    except ContractBroken as error:
        message = "What was read from the file breaks its own contract. Tell your operator."
        raise ImportRefused(Refusal.RESULT_INVALID, message, str(error)) from error
    if isinstance(found, Refused):
        raise ImportRefused(found.code, found.message)
    return ImportReading(found.imported, outcome.walls)
