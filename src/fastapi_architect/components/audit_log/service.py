"""Reading the audit log."""

from ..database import Slice
from .models import AuditEvent
from .repository import AuditRepository, EveryAuditEvent
from .schemas import AuditQuery


class AuditService:
    """Shows who did what. There is nothing to change."""

    def __init__(self, events: AuditRepository | EveryAuditEvent) -> None:
        self._events = events

    async def list_events(self, query: AuditQuery) -> Slice[AuditEvent]:
        """Return a page of the events that the reader may see."""
        return await self._events.list(query)
