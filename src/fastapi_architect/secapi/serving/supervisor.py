"""Keeps the processes of an installation running until it is told to stop."""

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

#: Seconds before a process that ended is started again: doubled each time, and forgotten once it has lived that long.
FIRST_PAUSE, LONGEST_PAUSE, LIVED = 1.0, 30.0, 60.0
#: Seconds that a process has to finish what it began.
PATIENCE = 45.0


@dataclass(slots=True)
class _Kept:
    """A process that shall run."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Starts processes, starts them again when they end, and ends them in the opposite order.

    Attributes:
        environment: of every process.
        stopping: set from any thread, or by a signal, it ends `run`.
    """

    environment: Mapping[str, str]
    stopping: threading.Event = field(default_factory=threading.Event)
    _kept: list[_Kept] = field(default_factory=list)

    def keep(self, name: str, *command: str) -> None:
        """Start a process now, and again whenever it ends.

        Args:
            name: for people.
            command: the program and its arguments.
        """
        kept = _Kept(name, command)
        self._kept.append(kept)
        self._start(kept)

    def is_running(self, name: str) -> bool:
        """Tell whether the process of that name runs at present."""
        return any(
            kept.name == name and kept.process is not None and kept.process.poll() is None
            for kept in self._kept
        )

    def stop_on_signals(self) -> None:
        """Let SIGTERM and SIGINT end `run`. Only the main thread may ask for it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())

    def run(self) -> None:
        """Watch over the processes until `stopping` is set, and end them."""
        try:
            while not self.stopping.wait(0.2):
                for kept in self._kept:
                    self._look_after(kept)
        finally:
            self.end()

    def end(self) -> None:
        """End every process: each is asked, and has time to finish, before it is killed."""
        for kept in reversed(self._kept):
            if kept.process is not None and kept.process.poll() is None:
                kept.process.terminate()
        deadline = time.monotonic() + PATIENCE
        for kept in reversed(self._kept):
            if kept.process is None:
                continue
            try:
                kept.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.warning("killed, as it did not end in time", extra={"process_name": kept.name})
                kept.process.kill()
                kept.process.wait()
            kept.process = None

    def _look_after(self, kept: _Kept) -> None:
        now = time.monotonic()
        if kept.process is None:
            if now >= kept.due:
                self._start(kept)
            return
        code = kept.process.poll()
        if code is None:
            return
        if now - kept.started > LIVED:
            kept.pause = FIRST_PAUSE
        logger.warning(
            "a process ended and is started again",
            extra={"process_name": kept.name, "exit_code": code, "seconds": kept.pause},
        )
        kept.process, kept.due = None, now + kept.pause
        kept.pause = min(LONGEST_PAUSE, 2 * kept.pause)

    def _start(self, kept: _Kept) -> None:
        kept.started = time.monotonic()
        kept.process = subprocess.Popen(list(kept.command), env=dict(self.environment))
