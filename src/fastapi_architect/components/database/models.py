"""The tables' common base, and the columns that many tables share."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, MetaData, func
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from uuid_utils.compat import uuid7

#: Every constraint has a name, so that one migration can drop what another one made.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Uuid7Id:
    """A UUID of version 7 (RFC 9562): nobody can guess it, and new rows stand at the end of an index."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)


class Timestamped:
    """When a row was made and last changed, by the clock of the database."""

    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )


class SoftDeleted:
    """Kept after deletion; a repository leaves such rows out."""

    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Versioned:
    """Optimistic locking: a write that has not seen the latest version raises StaleDataError."""

    version: Mapped[int] = mapped_column(default=1)


class Base(DeclarativeBase):
    """The registry of all tables of a service."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)

    @declared_attr.directive
    def __mapper_args__(cls: type[Any]) -> dict[str, object]:  # noqa: N805 - SQLAlchemy passes the class
        """Fetch what the database computes with each write: an async session cannot fetch it later, when it is read.

        It is said here for `Versioned` too, because of several bases SQLAlchemy would only ask the first.
        """
        arguments: dict[str, object] = {"eager_defaults": True}
        if issubclass(cls, Versioned):
            arguments["version_id_col"] = cls.version
        return arguments
