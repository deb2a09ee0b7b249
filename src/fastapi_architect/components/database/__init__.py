"""PostgreSQL: one engine a process, one session a request, one transaction a decision."""

from .component import Database
from .dependencies import SessionDep, get_session
from .filtering import Filter, at_least, at_most, contains, equals, one_of, starts_with
from .models import Base, SoftDeleted, Timestamped, Uuid7Id, Versioned
from .ordering import Order
from .preconditions import IfNoneMatch, PreconditionRequired, SeenVersion, SeenVersionDep, etag, is_unchanged
from .repository import Repository
from .schemas import InputModel, OutputModel, Page, PageQuery, Slice
from .session_settings import bind_setting, bind_worker_setting, note_setting, session_setting, setting
from .settings import DatabaseSettings, MigrationSettings
from .unit_of_work import OutcomeUnknown, advise_in_doubt, in_transaction, in_worker_transaction

__all__ = [
    "Base",
    "Database",
    "DatabaseSettings",
    "Filter",
    "IfNoneMatch",
    "InputModel",
    "MigrationSettings",
    "Order",
    "OutcomeUnknown",
    "OutputModel",
    "Page",
    "PageQuery",
    "PreconditionRequired",
    "Repository",
    "SeenVersion",
    "SeenVersionDep",
    "SessionDep",
    "Slice",
    "SoftDeleted",
    "Timestamped",
    "Uuid7Id",
    "Versioned",
    "advise_in_doubt",
    "at_least",
    "at_most",
    "bind_setting",
    "bind_worker_setting",
    "contains",
    "equals",
    "etag",
    "get_session",
    "in_transaction",
    "in_worker_transaction",
    "is_unchanged",
    "note_setting",
    "one_of",
    "session_setting",
    "setting",
    "starts_with",
]
