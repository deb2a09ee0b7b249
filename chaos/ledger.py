"""What the service has promised to its clients: written down when an answer arrives, and held against it at the end."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(slots=True)
class Accepted:
    """A scan that was answered with 202."""

    scan_id: str
    sample: str
    organisation: str
    key: str
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that somebody said about a finding, and that was answered with 200 or 201."""

    finding_id: str
    organisation: str
    kind: str
    text: str
    triage: str = ""
    version: int = 0


@dataclass(slots=True)
class Ledger:
    """Everything that was promised, and every answer that no client should get."""

    accepted: dict[str, Accepted] = field(default_factory=dict)
    promises: list[Promise] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, scan: Accepted) -> None:
        """Keep a scan; a second identifier for the same key is wrong."""
        with self._lock:
            same = next((each for each in self.accepted.values() if each.key == scan.key), None)
            if same is not None and same.scan_id != scan.scan_id:
                self.wrong.append(f"one key, two scans: {same.scan_id} and {scan.scan_id}")
            self.accepted.setdefault(scan.scan_id, scan)

    def promise(self, promise: Promise) -> None:
        """Keep what somebody was told is kept."""
        with self._lock:
            self.promises.append(promise)

    def object(self, message: str) -> None:
        """Keep what should not have happened."""
        with self._lock:
            self.wrong.append(message)

    def count(self, answer: str) -> None:
        """Count an answer."""
        with self._lock:
            self.answers[answer] = self.answers.get(answer, 0) + 1

    def scans(self) -> list[Accepted]:
        """Return what was accepted, oldest first: identifiers of version 7 are in the order of time."""
        with self._lock:
            return sorted(self.accepted.values(), key=lambda each: UUID(each.scan_id))
