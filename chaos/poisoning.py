"""Kills every process that works on a certain archive: to the service, that is a scan which ends whoever touches it."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

from chaos import system
from chaos.archives import POISON
from chaos.installation import Installation, private_folders


class Poisoning:
    """Looks at what lies open in the workers' private folders, and ends who holds poison.

    Args:
        installation: where.
    """

    #: Seconds between two looks; a scan takes half a second at least.
    EVERY = 0.05

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.kills = 0

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def end(self) -> None:
        """Stop looking."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self.EVERY):
            for folder in private_folders(self._installation.temporary):
                if _is_poisoned(folder):
                    self._kill_holder(folder)

    def _kill_holder(self, folder: Path) -> None:
        among = [child for worker in self._installation.workers for child in worker.children()]
        for holder in system.holders_of(folder / "lock", iter(among)):
            with suppress(ProcessLookupError):
                os.kill(holder, signal.SIGKILL)
                self.kills += 1


def _is_poisoned(folder: Path) -> bool:
    with suppress(OSError):
        return any(name.encode() in (folder / "content" / "upload").read_bytes() for name in _MARKS)
    return False


#: Names of files stand in an archive as they are.
_MARKS = [name for name in POISON.files if name.startswith("poison")]
