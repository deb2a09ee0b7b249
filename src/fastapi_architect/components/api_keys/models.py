"""What is remembered of a key: never the key."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Index, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base, Timestamped, Uuid7Id


class ApiKey(Base, Uuid7Id, Timestamped):
    """A key of somebody, or of a service that is nobody."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("ix_api_keys_owner_id_id", "owner_id", "id"),)

    name: Mapped[str] = mapped_column(String(100))
    #: For whom it acts; null for the key of a service. No foreign key, because owners may live anywhere.
    owner_id: Mapped[UUID | None] = mapped_column()
    #: The organisation it acts for, where there are several.
    tenant_id: Mapped[UUID | None] = mapped_column()
    created_by: Mapped[UUID | None] = mapped_column()
    #: The readable beginning of the key.
    hint: Mapped[str] = mapped_column(String(40))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(100)))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    #: To about an hour: a write for each request would cost more than it tells.
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def for_service(self) -> bool:
        """Whether it acts for nobody."""
        return self.owner_id is None
