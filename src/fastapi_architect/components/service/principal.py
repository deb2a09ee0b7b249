"""Who is asking: known to logs, rate limits and caches, whichever component found it out."""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi.requests import HTTPConnection


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller. Its identifier never changes, unlike a name or an e-mail address."""

    id: UUID
    #: What it is allowed to do, such as `items:write`.
    permissions: frozenset[str] = frozenset()
    #: The organisation it acts for, where there are several.
    tenant_id: UUID | None = None
    #: By what it proved itself: `access_token`, `api_key`, `session`.
    method: str = ""
    #: When that proof ends, for connections that outlast it; None if it does not end by itself.
    expires_at: datetime | None = None

    def may(self, permission: str) -> bool:
        """Tell whether the permission was granted."""
        return permission in self.permissions


_current: ContextVar[Principal | None] = ContextVar("principal", default=None)


def remember_principal(connection: HTTPConnection, principal: Principal) -> None:
    """Note who is asking, for everything that handles this request later."""
    connection.state.principal = principal
    _current.set(principal)


def principal_of(connection: HTTPConnection) -> Principal | None:
    """Return who is asking, or None: nobody proved it (yet)."""
    found: Principal | None = getattr(connection.state, "principal", None)
    return found


def principal_in_context() -> Principal | None:
    """Return who is asking, where no connection is at hand: in a log record. Decisions use `principal_of`."""
    return _current.get()
