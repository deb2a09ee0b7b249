"""How branches are kept."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from fastapi_architect.components.database import Base, Timestamped, Uuid7Id, Versioned
from fastapi_architect.components.tenancy import TenantOwned

from ..columns import project_of_tenant


class Branch(Uuid7Id, TenantOwned, Timestamped, Versioned, Base):
    """A branch of a project as its newest scan left it. It is made by the first scan that ends."""

    __tablename__ = "branches"
    __table_args__ = (
        project_of_tenant(),
        UniqueConstraint("project_id", "name"),
        Index("ix_branches_project_id_created_at_id", "project_id", "created_at", "id"),
        Index("ix_branches_project_id_name_id", "project_id", "name", "id"),
    )

    project_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(200))
    #: The newest scan that is done, and when it was submitted: an older one that ends later changes nothing here.
    scan_id: Mapped[UUID | None]
    scanned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    score: Mapped[int | None]
    #: Open findings by severity.
    counts: Mapped[dict[str, int] | None] = mapped_column(JSONB)
    #: The verdict that was told last, and when it was made: the next scan or decision tells whether it has changed.
    gate_passed: Mapped[bool | None]
    gate_judged_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    #: The branch that new findings are counted against; none: the project's default one.
    baseline: Mapped[str | None] = mapped_column(String(200))
    #: One scan of it that counts in place of what the branch is now, and when that ended.
    baseline_scan_id: Mapped[UUID | None]
    baseline_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: When somebody put it away: it is listed no more, and its findings and their history stay.
    archived_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
