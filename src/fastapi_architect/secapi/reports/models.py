"""How reports are kept: where one stands, and apart from it its bytes, which any process of the service can hand out."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from fastapi_architect.components.database import Base, Timestamped, Uuid7Id
from fastapi_architect.components.tenancy import TenantOwned


class ReportFormat(StrEnum):
    """As what a report is read."""

    JSON = "json"
    SARIF = "sarif"
    HTML = "html"
    CSV = "csv"


class ReportState(StrEnum):
    """Where a report stands."""

    QUEUED = "queued"
    READY = "ready"
    #: It cannot be made, and the reason stands beside it.
    FAILED = "failed"
    #: Its time is over; another one can be made.
    EXPIRED = "expired"


_QUEUED = text("state = 'queued'")


class Report(Uuid7Id, TenantOwned, Timestamped, Base):
    """A report that was asked for. It goes with its scan."""

    __tablename__ = "reports"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "scan_id"], ["scans.tenant_id", "scans.id"], ondelete="CASCADE"),
        CheckConstraint("state IN ('queued', 'ready', 'failed', 'expired')", name="state_known"),
        CheckConstraint("format IN ('json', 'sarif', 'html', 'csv')", name="format_known"),
        UniqueConstraint("tenant_id", "id"),
        Index("ix_reports_scan_id_created_at_id", "scan_id", "created_at", "id"),
        Index("ix_reports_queued_tenant_id", "tenant_id", postgresql_where=_QUEUED),
        Index("ix_reports_expires_at", "expires_at"),
    )

    scan_id: Mapped[UUID]
    format: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(20), default=ReportState.QUEUED)
    #: `Principal.id` of whoever asked for it.
    requested_by: Mapped[UUID]
    #: Of the project when it was asked for: another decision about a finding makes another report.
    results_version: Mapped[int] = mapped_column(BigInteger)
    error_code: Mapped[str | None] = mapped_column(String(60))
    error: Mapped[str | None] = mapped_column(Text)
    #: Bytes of the download, and their digest.
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ReportContent(TenantOwned, Base):
    """The bytes of a report, compressed: in a table of their own, so that no list reads them."""

    __tablename__ = "report_contents"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "report_id"], ["reports.tenant_id", "reports.id"], ondelete="CASCADE"
        ),
    )

    report_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: As zlib makes it.
    compressed: Mapped[bytes] = mapped_column(LargeBinary)
