"""Writing into the audit log."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ..service import Principal, current_request_id
from .models import AuditEvent, Outcome

#: What looks like a secret is not written down, whoever passes it.
SECRET_WORDS = (
    "password",
    "token",
    "secret",
    "authorization",
    "cookie",
    "signature",
    "ticket",
    "api_key",
    "private",
)
MASK = "***"
LONGEST_TEXT = 500


def record(
    session: AsyncSession | Session,
    action: str,
    *,
    actor: Principal | None,
    subject_type: str,
    subject_id: UUID | str,
    outcome: Outcome = Outcome.DONE,
    tenant_id: UUID | None = None,
    details: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Add an event to the transaction of the session: it is kept exactly when what it tells of is kept.

    A refusal that shall be remembered needs a commit of its own, before the error is raised.

    Args:
        session: of the request or of a worker.
        action: what was done: the kind of thing and a verb in the past, such as `note.deleted`.
        actor: who did it; None for the service itself and for strangers.
        subject_type: what kind of thing it was done to.
        subject_id: which one.
        outcome: whether it was done.
        tenant_id: whose log it belongs to; by default the actor's tenant.
        details: what else a reader needs, such as the fields that changed. Never whole rows; values whose names speak of
            secrets are masked, long texts are cut.
    """
    event = AuditEvent(
        action=action,
        outcome=outcome,
        actor_id=actor.id if actor else None,
        actor_method=actor.method if actor else "",
        tenant_id=tenant_id or (actor.tenant_id if actor else None),
        subject_type=subject_type,
        subject_id=str(subject_id),
        request_id=current_request_id(),
        details={name: _harmless(name, value) for name, value in (details or {}).items()},
    )
    session.add(event)
    return event


def _harmless(name: str, value: Any) -> Any:
    if any(word in name.lower() for word in SECRET_WORDS):
        return MASK
    if isinstance(value, Mapping):
        return {str(key): _harmless(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_harmless(name, inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value).replace("\x00", "")[:LONGEST_TEXT]
