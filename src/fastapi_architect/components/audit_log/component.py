"""The audit log as a component."""

from collections.abc import Callable
from typing import Any

from fastapi import Depends, FastAPI

from ..access import require
from ..service import Act, Component
from .dependencies import READ
from .recording import record
from .router import log, overview


class AuditLog(Component):
    """Offers the log to those whom the guard lets in, and notes what other components tell of. Writing needs only `record`.

    Args:
        prefix: the path before `/audit-events`.
        guard: a dependency that refuses whoever may not read, and says for which tenant somebody reads; by default
            `require("audit:read")`. With organisations it is `require_in_tenant("audit:read")`.
    """

    def __init__(self, *, prefix: str = "/api/v1", guard: Callable[..., Any] | None = None) -> None:
        self.prefix = prefix
        self.guard = guard or require(READ)

    def install(self, app: FastAPI) -> None:
        """Add the route."""
        app.include_router(log, prefix=self.prefix, dependencies=[Depends(self.guard)])

    def witness(self, session: Any, act: Act) -> None:
        """Note what a component tells of, in the transaction of the act."""
        record(
            session,
            act.action,
            actor=act.actor,
            subject_type=act.subject_type,
            subject_id=act.subject_id,
            tenant_id=act.tenant_id,
            details=act.details,
        )


class AuditOverview(Component):
    """Offers the events of every tenant, and those of none, to the operators of a service with organisations.

    Args:
        permission: what operators have, and no role in an organisation gives.
        prefix: the path before `/audit-events`; another one than that of `AuditLog`.
    """

    def __init__(self, permission: str, *, prefix: str = "/api/v1/service") -> None:
        self.permission = permission
        self.prefix = prefix

    def install(self, app: FastAPI) -> None:
        """Add the route."""
        app.include_router(overview, prefix=self.prefix, dependencies=[Depends(require(self.permission))])
