"""How findings are kept. Nothing here is ever deleted but with its project."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from fastapi_architect.components.database import Base, Timestamped, Uuid7Id, Versioned
from fastapi_architect.components.tenancy import TenantOwned

from ..columns import project_of_tenant
from ..imports.sources import ENGINE
from .words import WORDS_OF_PLACE


class Triage(StrEnum):
    """What people decided about a finding. Whether it is fixed is seen by scans, branch by branch."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    FALSE_POSITIVE = "false_positive"
    #: With a reason, until a day, approved by somebody who may.
    ACCEPTED = "accepted"


class Presence(StrEnum):
    """Whether a finding is in a branch, as its newest scan saw it."""

    OPEN = "open"
    FIXED = "fixed"
    #: It was fixed, and is back.
    REOPENED = "reopened"


class Finding(Uuid7Id, TenantOwned, Timestamped, Versioned, Base):
    """One flaw of a project, wherever and however often it was seen."""

    __tablename__ = "findings"
    __table_args__ = (
        project_of_tenant(),
        CheckConstraint("triage IN ('open', 'confirmed', 'false_positive', 'accepted')", name="triage_known"),
        CheckConstraint(
            "triage <> 'accepted' OR (reason IS NOT NULL AND expires_at IS NOT NULL AND approved_by IS NOT NULL)",
            name="accepted_says_why_and_how_long",
        ),
        UniqueConstraint("tenant_id", "id"),
        Index("ix_findings_project_id_severity_rank_id", "project_id", "severity_rank", "id"),
        Index("ix_findings_project_id_created_at_id", "project_id", "created_at", "id"),
        Index("ix_findings_project_id_rule", "project_id", "rule"),
        Index("ix_findings_project_id_source", "project_id", "source"),
        # What is accepted is little, and whether it still is, is asked every few minutes.
        Index(
            "ix_findings_tenant_id_expires_at",
            "tenant_id",
            "expires_at",
            postgresql_where=text("triage = 'accepted'"),
        ),
    )

    project_id: Mapped[UUID]
    #: Of the application root in which it was last seen; where it is in a branch stands in `FindingInBranch`.
    root: Mapped[str] = mapped_column(Text, default="")
    #: Who found it: the engine, or a tool whose SARIF was imported. It is recognised and closed by the same source alone.
    source: Mapped[str] = mapped_column(String(200), default=ENGINE, server_default=ENGINE)
    #: By which it was last recognised, and the version of how fingerprints are made.
    fingerprint: Mapped[str] = mapped_column(String(200))
    rule: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(60))
    severity: Mapped[str] = mapped_column(String(20))
    #: 4 for critical down to 1 for info: what lists are ordered by.
    severity_rank: Mapped[int]
    confidence: Mapped[str] = mapped_column(String(20))
    cwe: Mapped[str | None] = mapped_column(String(20))
    cvss_score: Mapped[float | None] = mapped_column(Numeric(3, 1, asdecimal=False))
    triage: Mapped[str] = mapped_column(String(20), default=Triage.OPEN)
    reason: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    approved_by: Mapped[UUID | None]
    triaged_by: Mapped[UUID | None]
    triaged_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class FindingInBranch(Uuid7Id, TenantOwned, Timestamped, Base):
    """A finding as the newest scan of a branch saw it, or no longer saw it."""

    __tablename__ = "findings_in_branches"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "finding_id"], ["findings.tenant_id", "findings.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["branch_id"], ["branches.id"], ondelete="CASCADE"),
        CheckConstraint("presence IN ('open', 'fixed', 'reopened')", name="presence_known"),
        UniqueConstraint("branch_id", "finding_id"),
        Index("ix_findings_in_branches_finding_id", "finding_id"),
        Index("ix_findings_in_branches_branch_id_presence", "branch_id", "presence"),
    )

    finding_id: Mapped[UUID]
    branch_id: Mapped[UUID]
    presence: Mapped[str] = mapped_column(String(20), default=Presence.OPEN)
    first_scan_id: Mapped[UUID]
    last_scan_id: Mapped[UUID]
    fixed_scan_id: Mapped[UUID | None]
    #: Of the application root in its repository, "" for the top. Branches may have the same code in different folders.
    root: Mapped[str] = mapped_column(Text, default="", server_default="")
    file: Mapped[str] = mapped_column(Text)
    line: Mapped[int]
    #: The archive asked that it be ignored; whether that counts is the project's decision.
    is_proposed_ignored: Mapped[bool] = mapped_column(default=False)
    #: What the engine says of it, as the report has it.
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)


#: By the words of its title, rule, CWE and path; only `findings_with_words` can ask it (`words.py` says why).
Index(
    "ix_findings_in_branches_words",
    func.words_of_place(FindingInBranch.document, FindingInBranch.file, FindingInBranch.branch_id),
    postgresql_using="gin",
)


@event.listens_for(FindingInBranch.__table__, "before_create")
def _make_function_of_index(_table: Table, connection: Connection, **_: object) -> None:
    """Make what the index asks for, where tables are made without migrations: by tests."""
    connection.exec_driver_sql(WORDS_OF_PLACE)


class FindingEvent(TenantOwned, Base):
    """Something that happened to a finding: by a scan, or by somebody."""

    __tablename__ = "finding_events"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "finding_id"], ["findings.tenant_id", "findings.id"], ondelete="CASCADE"
        ),
        Index("ix_finding_events_finding_id_id", "finding_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    finding_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    #: found, fixed, reopened, triaged, commented.
    kind: Mapped[str] = mapped_column(String(20))
    #: None: a scan.
    actor_id: Mapped[UUID | None]
    scan_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
