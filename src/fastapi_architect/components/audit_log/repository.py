"""Queries for the audit log."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import Order, Repository, at_least, at_most, equals
from .models import AuditEvent


class AuditRepository(Repository[AuditEvent]):
    """The events of one tenant; of a service without tenants, all."""

    model = AuditEvent
    # Identifiers of version 7 ascend with time, so that the primary key is the order of events.
    orders: ClassVar = {"newest": Order(AuditEvent.id, descending=True)}
    filters: ClassVar = {
        "action": equals(AuditEvent.action),
        "actor_id": equals(AuditEvent.actor_id),
        "subject_type": equals(AuditEvent.subject_type),
        "subject_id": equals(AuditEvent.subject_id),
        "outcome": equals(AuditEvent.outcome),
        "since": at_least(AuditEvent.at),
        "until": at_most(AuditEvent.at),
    }

    def __init__(self, session: AsyncSession, tenant_id: UUID | None) -> None:
        super().__init__(session)
        self._tenant_id = tenant_id

    def visible(self) -> Select[AuditEvent]:
        """Return the query of the tenant's events."""
        statement = super().visible()
        return statement.where(AuditEvent.tenant_id.is_not_distinct_from(self._tenant_id))


class EveryAuditEvent(Repository[AuditEvent]):
    """The events of every tenant and of none, for operators."""

    model = AuditEvent
    orders: ClassVar = AuditRepository.orders
    filters: ClassVar = {**AuditRepository.filters, "tenant_id": equals(AuditEvent.tenant_id)}
