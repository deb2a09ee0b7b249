"""How scans are kept. This table, and nothing in a broker, says where a scan stands."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from fastapi_architect.components.database import Base, Timestamped, Uuid7Id, Versioned
from fastapi_architect.components.tenancy import TenantOwned

from ..columns import project_of_tenant
from ..imports.sources import ENGINE


class ScanState(StrEnum):
    """Where a scan stands. Every way ends in one of the last four."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    #: It cannot be reviewed, and the reason stands beside it: another attempt would end alike.
    FAILED = "failed"
    #: Every attempt died; an operator can look into it and send it again.
    DEAD = "dead"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether it stays so, unless somebody asks for another attempt."""
        return self not in (ScanState.QUEUED, ScanState.RUNNING)


class ScanPriority(StrEnum):
    """What overtakes what."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class ScanKind(StrEnum):
    """What was submitted."""

    ARCHIVE = "archive"
    SARIF = "sarif"
    REPORT = "report"


_OPEN = text("state IN ('queued', 'running')")


class Scan(Uuid7Id, TenantOwned, Timestamped, Versioned, Base):
    """One submission and what became of it."""

    __tablename__ = "scans"
    __table_args__ = (
        project_of_tenant(),
        CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'dead', 'cancelled')", name="state_known"
        ),
        UniqueConstraint("tenant_id", "id"),
        # The archive goes when its scan ends: two scans of one upload would take it from each other.
        UniqueConstraint("upload_id"),
        # Whoever deletes uploads does not see the scans of all organisations: PostgreSQL does. It asks in the end, when a scan
        # has let go of its archive in whichever order.
        ForeignKeyConstraint(["upload_id"], ["uploads.id"], deferrable=True, initially="DEFERRED"),
        Index("ix_scans_project_id_created_at_id", "project_id", "created_at", "id"),
        Index("ix_scans_project_id_branch_created_at_id", "project_id", "branch", "created_at", "id"),
        # What waits or runs is little, and is asked for often: quotas, queues, the reaper.
        Index("ix_scans_open_tenant_id", "tenant_id", postgresql_where=_OPEN),
        Index("ix_scans_open_task_id", "task_id", postgresql_where=_OPEN),
    )

    project_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20), default=ScanState.QUEUED)
    priority: Mapped[str] = mapped_column(String(20), default=ScanPriority.NORMAL)
    branch: Mapped[str] = mapped_column(String(200))
    commit: Mapped[str | None] = mapped_column(String(64))
    #: `Principal.id` of whoever submitted it.
    requested_by: Mapped[UUID]
    #: The event of the outbox, which is also the Celery task's identifier: attempts, lease and dead letter stand there.
    task_id: Mapped[UUID]
    #: Counted up when somebody tries it again: what is still under way of an earlier run changes nothing any more.
    run: Mapped[int] = mapped_column(default=1)
    #: The upload that is read; gone when the scan has ended.
    upload_id: Mapped[UUID | None]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    #: Attempts that began, dead ones included.
    attempts: Mapped[int] = mapped_column(default=0)
    #: Application roots: found, and reviewed so far.
    roots: Mapped[int] = mapped_column(default=0)
    roots_done: Mapped[int] = mapped_column(default=0)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: Why it failed, for its owners: a stable code and a sentence.
    error_code: Mapped[str | None] = mapped_column(String(60))
    error: Mapped[str | None] = mapped_column(Text)
    score: Mapped[int | None]
    #: Open findings by severity, as they were when it ended.
    counts: Mapped[dict[str, int] | None] = mapped_column(JSONB)
    #: The verdict of the gate when it ended.
    gate: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    #: What could not be looked at, what the archive proposed to silence, which walls of the sandbox stood.
    notes: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    engine: Mapped[str | None] = mapped_column(String(40))
    #: Who says what was found, once it is done; None: the engine, before there were others.
    sources: Mapped[list[str] | None] = mapped_column(JSONB)
    #: What was said about a file that was imported; None: it is an archive.
    import_options: Mapped[dict[str, str] | None] = mapped_column(JSONB)


class ScanRoot(Uuid7Id, TenantOwned, Base):
    """What one source says of an application root: the engine, whose task it is, or a tool. It goes with the scan, and not before it."""

    __tablename__ = "scan_roots"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "scan_id"], ["scans.tenant_id", "scans.id"], ondelete="CASCADE"),
        Index("ix_scan_roots_scan_id_path_source", "scan_id", "path", "source", unique=True),
    )

    scan_id: Mapped[UUID]
    #: Of its folder in the archive, "" for the top.
    path: Mapped[str] = mapped_column(Text)
    #: Who says it; see `imports.sources`.
    source: Mapped[str] = mapped_column(String(200), default=ENGINE, server_default=ENGINE)
    #: The report of the engine, as it is: what is downloaded later is made from it.
    report: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    #: Of each finding of the report, in its order: which one of the project it is, and whether the scan found it new, kept or
    #: reopened. None: the scan came too late to be matched, or ended before this was written down.
    findings: Mapped[list[list[str]] | None] = mapped_column(JSONB)
    #: Fingerprints of the findings that the archive asked to ignore.
    proposed: Mapped[list[str]] = mapped_column(JSONB)
    error_code: Mapped[str | None] = mapped_column(String(60))
    error: Mapped[str | None] = mapped_column(Text)
    #: What kept the process in that wrote the report.
    walls: Mapped[dict[str, Any]] = mapped_column(JSONB)


class ScanEvent(TenantOwned, Base):
    """Something that happened to a scan. Its identifier is the cursor by which a listener resumes."""

    __tablename__ = "scan_events"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "scan_id"], ["scans.tenant_id", "scans.id"], ondelete="CASCADE"),
        Index("ix_scan_events_scan_id_id", "scan_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    scan_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    kind: Mapped[str] = mapped_column(String(40))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
