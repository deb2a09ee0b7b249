"""One run of the disposable child, as its parent sees it: bounded time, bounded memory, whatever the child does or says."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from fastapi_architect.secapi.archives.private_folder import private_folder
from fastapi_architect.secapi.sandbox import job as jobs
from fastapi_architect.secapi.sandbox.job import Job, Progress, Result, Walls

#: Called with (stage, done, total).
OnProgress = Callable[[str, int, int], None]

#: Collecting garbage would look through all that the review keeps, again and again, to find nothing; and what is left at the
#: end is the kernel's to clear away.
_BOOT = (
    "import gc, os, sys; gc.disable(); sys.path[:] = [*sys.path, *sys.argv[2:]]; from pathlib import Path; "
    "from fastapi_architect.secapi.sandbox.child import main; code = main(Path(sys.argv[1])); sys.stderr.flush(); os._exit(code)"
)
_TICK = 0.1
#: Seconds between two questions whether the result is still wanted: a database may have to be asked.
_ASK_EVERY = 0.5
_CHUNK = 1 << 16
_MAX_SPOKEN = 8_000_000
_MAX_MESSAGE = 10_000
_KEPT_ERRORS = 8_000


#: How a child ends that somebody else killed: the kernel for want of memory, or an operator.
KILLED = "it crashed (SIGKILL)"


class Cancelled(Exception):
    """Nobody wants the result any more; the child is gone."""


class Outcome(msgspec.Struct, frozen=True):
    """How a child ended.

    Attributes:
        result: what it found, None when it died.
        walls: what kept it in, as far as it came to say so.
        died: how, for people: "it ran out of memory".
        at: number of the Python file that it was parsing when it died, None when it was doing something else.
        refused: its own words, when it understood that it cannot do this job.
        errors: the end of what it wrote to standard error, for the log of the service: it may quote the archive.
    """

    result: Result | None
    walls: Walls
    died: str = ""
    at: int | None = None
    refused: str = ""
    errors: str = ""


def run_child(
    job: Callable[[int, int], Job],
    base: Path,
    *,
    seconds: float,
    result_bytes: int,
    progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
    boot: str = _BOOT,
) -> Outcome:
    """Run one child to its end, whatever that is, and leave nothing of it behind.

    Args:
        job: makes the job, given the two descriptors that the child writes to.
        base: where private folders lie.
        seconds: of wall clock.
        result_bytes: of its report, at most.
        progress: called now and then.
        cancelled: asked twice a second.
        boot: the program that the child begins with.

    Raises:
        Cancelled: `cancelled` said so.
        OSError: no child can be started.
    """
    with private_folder(base) as folder:
        reading, writing = os.pipe()
        status = os.open(folder / jobs.STATUS_FILE, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.pwrite(status, jobs.AT.pack(jobs.NOWHERE), 0)
            made = job(writing, status)
            (folder / jobs.JOB_FILE).write_bytes(msgspec.json.encode(made))
            child = _started(folder, made, (writing, status), boot)
            os.close(writing)
            writing = -1
            listener = _Listener(reading, result_bytes, progress)
            try:
                ended = _attended(child, listener, seconds, cancelled)
            finally:
                _end(child)
            return _outcome(child, listener, ended, status)
        finally:
            for descriptor in (reading, writing, status):
                if descriptor >= 0:
                    os.close(descriptor)


def _started(folder: Path, job: Job, descriptors: tuple[int, ...], boot: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", boot, str(folder), *job.imports]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=descriptors,
        start_new_session=True,
        umask=0o077,
    )


def _environment(folder: Path) -> Mapping[str, str]:
    """Nothing of the service's own: it holds the addresses and passwords of its servers."""
    # Every arena of malloc reserves 64 MB of address space, which is limited.
    return {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "MALLOC_ARENA_MAX": "1",
    }


class _Listener:
    """Takes the child's messages apart. What is too long, too much or not understood is the child's end.

    Attributes:
        walls: as the child told.
        payload: of the result, encoded.
        complaint: what was wrong with what it said.
    """

    def __init__(self, descriptor: int, result_bytes: int, progress: OnProgress | None) -> None:
        self.descriptor = descriptor
        self.walls = Walls()
        self.payload: bytes | None = None
        self.complaint = ""
        self._result_bytes = result_bytes
        self._progress = progress
        self._held = bytearray()
        self._spoken = 0

    def hear(self, data: bytes) -> bool:
        """Take what was read; False when nothing more should be."""
        self._held += data
        while not self.complaint and len(self._held) >= jobs.HEAD.size:
            kind, length = jobs.HEAD.unpack_from(self._held)
            if length > (self._result_bytes if kind == jobs.RESULT else _MAX_MESSAGE):
                self.complaint = f"it wanted to say {length:,} bytes at once"
                break
            end = jobs.HEAD.size + length
            if len(self._held) < end:
                break
            payload = bytes(self._held[jobs.HEAD.size : end])
            del self._held[:end]
            self._understand(kind, payload)
        return not self.complaint

    def _understand(self, kind: bytes, payload: bytes) -> None:
        self._spoken += len(payload) + jobs.HEAD.size if kind != jobs.RESULT else 0
        if self._spoken > _MAX_SPOKEN:
            self.complaint = "it does not stop talking"
        elif self.payload is not None:
            self.complaint = "it went on after its result"
        elif kind == jobs.RESULT:
            self.payload = payload
        else:
            try:
                if kind == jobs.WALLS:
                    self.walls = msgspec.json.decode(payload, type=Walls)
                elif kind == jobs.PROGRESS:
                    told = msgspec.json.decode(payload, type=Progress)
                    if self._progress is not None:
                        self._progress(told.stage, told.done, told.total)
                else:
                    self.complaint = "it said what nobody understands"
            except msgspec.DecodeError:
                self.complaint = "it said what nobody understands"


class _Ended(msgspec.Struct):
    """Why the parent stopped attending, and the end of standard error."""

    why: str = ""
    errors: bytes = b""


def _attended(
    child: subprocess.Popen[bytes],
    listener: _Listener,
    seconds: float,
    cancelled: Callable[[], bool] | None,
) -> _Ended:
    """Listen until the child has closed its pipes, its time is over, or nobody wants it any more."""
    ended = _Ended()
    until, ask_at = time.monotonic() + seconds, 0.0
    assert child.stderr is not None
    errors = child.stderr.fileno()
    with selectors.DefaultSelector() as selector:
        for descriptor in (listener.descriptor, errors):
            os.set_blocking(descriptor, False)
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            now = time.monotonic()
            if cancelled is not None and now >= ask_at:
                ask_at = now + _ASK_EVERY
                if cancelled():
                    raise Cancelled
            if now >= until:
                ended.why = f"it took longer than {seconds:g} seconds"
                return ended
            for key, _ in selector.select(_TICK):
                data = os.read(key.fd, _CHUNK)
                if not data:
                    selector.unregister(key.fd)
                elif key.fd == errors:
                    ended.errors = (ended.errors + data)[-_KEPT_ERRORS:]
                elif not listener.hear(data):
                    ended.why = listener.complaint
                    return ended
    remaining = max(0.0, until - time.monotonic())
    try:
        child.wait(min(remaining, 5.0))
    except subprocess.TimeoutExpired:
        ended.why = "it closed its pipes and stayed"
    return ended


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started."""
    # Its number is its group's until it has been waited for; afterwards both may be somebody else's.
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.kill()
        child.wait()
    if child.stderr is not None:
        child.stderr.close()


def _outcome(child: subprocess.Popen[bytes], listener: _Listener, ended: _Ended, status: int) -> Outcome:
    errors = ended.errors.decode("utf-8", "replace")
    died, refused, result = ended.why, "", None
    if not died and child.returncode == jobs.REFUSED:
        refused = errors.strip() or "it cannot do this"
    elif not died and child.returncode:
        died = _how(child.returncode)
    elif not died and listener.payload is None:
        died = "it ended without a result"
    if not died and listener.payload is not None:
        try:
            result = msgspec.json.decode(listener.payload, type=Result)
        except (msgspec.DecodeError, RecursionError):
            died = "its result was no valid JSON"
    at = None
    if result is None:
        data = os.pread(status, jobs.AT.size, 0)
        number = jobs.AT.unpack(data)[0] if len(data) == jobs.AT.size else jobs.NOWHERE
        at = number if number >= 0 else None
    return Outcome(result, listener.walls, died, at, refused, errors)


def _how(returncode: int) -> str:
    if returncode == jobs.OUT_OF_MEMORY:
        return "it ran out of memory"
    if returncode == -signal.SIGXCPU:
        return "it used up its processor time"
    if returncode < 0:
        name = next((each.name for each in signal.Signals if each == -returncode), str(-returncode))
        return f"it crashed ({name})"
    return "it failed"
