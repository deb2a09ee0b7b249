"""PostgreSQL: one engine a process, one session a request, one transaction a decision."""

from .component import Database, DatabaseSettings
from .dependencies import SessionDep, get_session
from .models import Base, SoftDeleted, Timestamped, Uuid7Id, Versioned

__all__ = [
    "Base",
    "Database",
    "DatabaseSettings",
    "SessionDep",
    "SoftDeleted",
    "Timestamped",
    "Uuid7Id",
    "Versioned",
    "get_session",
]
