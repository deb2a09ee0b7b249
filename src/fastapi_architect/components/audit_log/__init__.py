"""Who did what to which thing, written in the transaction that did it, and changed by nobody."""

from .component import AuditLog, AuditOverview
from .models import AuditEvent, Outcome
from .recording import record
from .row_level_security import protect_audit_log, unprotect_audit_log

__all__ = [
    "AuditEvent",
    "AuditLog",
    "AuditOverview",
    "Outcome",
    "protect_audit_log",
    "record",
    "unprotect_audit_log",
]
