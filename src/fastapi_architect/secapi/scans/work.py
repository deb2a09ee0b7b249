"""What travels to workers: which scan, whose, and in which run. All else is read from the tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi_architect.components.outbox import Priority

from .models import Scan, ScanKind, ScanPriority

#: What a scan overtakes, in whichever queue it waits.
PRIORITIES = {
    ScanPriority.HIGH: Priority.HIGH,
    ScanPriority.NORMAL: Priority.NORMAL,
    ScanPriority.LOW: Priority.LOW,
}
#: A topic for each priority, as a queue of a broker knows no other order.
REQUESTED = {priority: f"scans.requested.{priority}" for priority in ScanPriority}
ROOT = {priority: f"scans.root.{priority}" for priority in ScanPriority}
#: All application roots of a scan have been reviewed.
REVIEWED = "scans.reviewed"
#: The archive of a scan is no longer needed.
ARCHIVE_LEFT = "scans.archive_left"
#: Every so often: look for scans whose work is among the dead letters.
REAP = "scans.reap"


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work on a scan.

    Attributes:
        scan_id: which scan.
        tenant_id: whose: a worker binds its session to it before its first query.
        run: of the scan; another one means that somebody began it anew, and that this is to be dropped.
        priority: of the scan.
        root: which application root, where there are several.
        fan_in_id: where its end is counted.
        kind: what was submitted; an event of a release that knew archives alone does not say it.
    """

    scan_id: UUID
    tenant_id: UUID
    run: int
    priority: ScanPriority
    root: str | None = None
    fan_in_id: UUID | None = None
    kind: ScanKind = ScanKind.ARCHIVE

    @classmethod
    def of(cls, scan: Scan) -> "Work":
        """Return the first piece of work on a scan."""
        return cls(scan.id, scan.tenant_id, scan.run, ScanPriority(scan.priority), kind=ScanKind(scan.kind))

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Work":
        """Return what the payload of an event says."""
        fan_in = payload.get("fan_in_id")
        return cls(
            UUID(payload["scan_id"]),
            UUID(payload["tenant_id"]),
            int(payload["run"]),
            ScanPriority(payload["priority"]),
            payload.get("root"),
            None if fan_in is None else UUID(fan_in),
            ScanKind(payload.get("kind", ScanKind.ARCHIVE)),
        )

    def payload(self) -> dict[str, Any]:
        """Return it as the payload of an event."""
        return {
            "scan_id": str(self.scan_id),
            "tenant_id": str(self.tenant_id),
            "run": self.run,
            "priority": str(self.priority),
            "root": self.root,
            "fan_in_id": None if self.fan_in_id is None else str(self.fan_in_id),
            "kind": str(self.kind),
        }
