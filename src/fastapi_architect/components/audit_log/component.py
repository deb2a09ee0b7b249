"""The audit log as a component."""

from fastapi import FastAPI

from ..service import Component
from .router import router


class AuditLog(Component):
    """Offers the log to those who have the permission `audit:read`. Writing needs only `record`.

    Args:
        prefix: the path before `/audit-events`.
    """

    def __init__(self, *, prefix: str = "/api/v1") -> None:
        self.prefix = prefix

    def install(self, app: FastAPI) -> None:
        """Add the route."""
        app.include_router(router, prefix=self.prefix)
