"""Who did what to which thing, written in the transaction that did it, and changed by nobody."""

from .component import AuditLog
from .models import AuditEvent, Outcome
from .recording import record

__all__ = ["AuditEvent", "AuditLog", "Outcome", "record"]
