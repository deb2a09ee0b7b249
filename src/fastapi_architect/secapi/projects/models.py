"""How projects are kept."""

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, String, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from fastapi_architect.components.database import Base, SoftDeleted, Timestamped, Uuid7Id, Versioned
from fastapi_architect.components.tenancy import TenantOwned


class GateSeverity(StrEnum):
    """The lowest severity that closes the gate; `none` leaves it open."""

    CRITICAL = "critical"
    IMPORTANT = "important"
    MINOR = "minor"
    INFO = "info"
    NONE = "none"


class Project(Uuid7Id, TenantOwned, Timestamped, SoftDeleted, Versioned, Base):
    """A code base of an organisation."""

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint("name <> ''", name="name_not_empty"),
        CheckConstraint("keep_scans_days > 0", name="keep_scans_days_positive"),
        CheckConstraint("keep_failed_archives_hours >= 0", name="keep_failed_archives_hours_not_negative"),
        # What belongs to a project refers to both columns: a foreign key alone does not ask for the tenant.
        UniqueConstraint("tenant_id", "id"),
        Index("ix_projects_tenant_id_created_at_id", "tenant_id", "created_at", "id"),
        Index("ix_projects_tenant_id_name_id", "tenant_id", "name", "id"),
    )

    name: Mapped[str] = mapped_column(String(100))
    #: What other branches are compared with, and whose findings are the project's.
    default_branch: Mapped[str] = mapped_column(String(200), default="main")
    gate_severity: Mapped[str] = mapped_column(String(20), default=GateSeverity.IMPORTANT)
    #: Whether the gate looks at findings that the default branch has not, and at no others.
    gate_new_only: Mapped[bool] = mapped_column(default=True)
    #: Whether what an archive says to ignore is ignored. Otherwise it is a proposal, and the gate counts it.
    accepts_archive_suppressions: Mapped[bool] = mapped_column(default=False)
    #: Days after which finished scans are deleted; findings and their history stay.
    keep_scans_days: Mapped[int] = mapped_column(default=365)
    #: Hours for which the archive of a scan that failed or died stays, so that it can be tried again; 0: it goes at once,
    #: as that of every other scan.
    keep_failed_archives_hours: Mapped[int] = mapped_column(default=0, server_default="0")
    #: Counted up in every transaction that changes what is known or decided about findings: what is cached is kept under it.
    results_version: Mapped[int] = mapped_column(BigInteger, default=1, server_default="1")


#: Two projects of an organisation have different names, whatever the case; a deleted one's name is free again.
Index(
    "uq_projects_tenant_id_name",
    Project.tenant_id,
    func.lower(Project.name),
    unique=True,
    postgresql_where=Project.deleted_at.is_(None),
)
