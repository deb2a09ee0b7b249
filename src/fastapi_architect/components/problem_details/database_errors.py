"""What the database refuses, told to the caller without a name of a table, a column or a constraint.

Services foresee what they can, and raise `Conflict` with a better sentence. This is for the race that they lose and for the
value that no schema caught. It knows SQLAlchemy and the SQLSTATE codes of PostgreSQL, and no driver and no `database` component.
"""

import logging

from fastapi.requests import HTTPConnection
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

from .errors import Conflict, InvalidInput, PreconditionFailed, ServiceError, Unavailable

logger = logging.getLogger(__name__)

HANDLED: tuple[type[Exception], ...] = (
    DBAPIError,
    PendingRollbackError,
    PoolTimeout,
    StaleDataError,
)

NOT_NULL, FOREIGN_KEY, UNIQUE, CHECK, EXCLUSION = "23502", "23503", "23505", "23514", "23P01"
RESTRICT = "23001"
#: Serialization failure, deadlock: the same request may succeed at once.
TRANSIENT = frozenset({"40001", "40P01"})
#: A server that only reads, which is what a connection finds in the middle of a failover.
READ_ONLY = "25006"
#: SQLAlchemy's code of a session that goes on after its connection was lost.
_AFTER_A_LOST_CONNECTION = "8s2b"
#: Seconds after which to try again, when the database is down or all connections are taken.
DOWN_FOR = 5


def refusal_of(connection: HTTPConnection, error: Exception) -> ServiceError | None:
    """Return what to tell the caller about an error of the database; None: it is a fault of ours."""
    state = _sqlstate(error)
    refusal: ServiceError
    if isinstance(error, StaleDataError):
        refusal = _stale(connection)
    elif isinstance(error, IntegrityError):
        refusal = _violation(state)
    elif isinstance(error, DataError):
        refusal = InvalidInput("A value is too large, or holds a character that cannot be stored.")
    elif _is_down(error, state):
        retry_after = 1 if state in TRANSIENT else DOWN_FOR
        refusal = Unavailable("The service is overloaded or restarting.", retry_after=retry_after)
    else:
        return None
    # Neither the statement nor its parameters: they hold what people typed.
    logger.warning("database refused", extra={"sqlstate": state, "error": type(error).__name__})
    return refusal


def _is_down(error: Exception, state: str) -> bool:
    """Tell whether the database cannot do its work now, by whatever class of error it says so.

    A connection that PostgreSQL ends says so by classes that otherwise mean a fault of the program: `InternalError` after an idle
    transaction, the bare `DatabaseError` where not even a code arrived.
    """
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout):
        return True
    if isinstance(error, PendingRollbackError):
        return error.code == _AFTER_A_LOST_CONNECTION
    return isinstance(error, DBAPIError) and (error.connection_invalidated or state == READ_ONLY)


def _stale(connection: HTTPConnection) -> ServiceError:
    detail = "It was changed in the meantime. Read it again."
    return PreconditionFailed(detail) if "if-match" in connection.headers else Conflict(detail)


def _violation(state: str) -> ServiceError:
    if state in (UNIQUE, EXCLUSION):
        return Conflict("Something with these values exists already.")
    if state in (FOREIGN_KEY, RESTRICT):
        return Conflict("It refers to something that does not exist, or something still refers to it.")
    if state in (NOT_NULL, CHECK):
        return InvalidInput("A value is missing, or outside of what is allowed.")
    return Conflict("It contradicts what is stored already.")


def _sqlstate(error: Exception) -> str:
    """Return the code of the SQL standard, or "": psycopg and asyncpg call it so, psycopg2 `pgcode`."""
    original = error.orig if isinstance(error, DBAPIError) else None
    return str(getattr(original, "sqlstate", None) or getattr(original, "pgcode", None) or "")
