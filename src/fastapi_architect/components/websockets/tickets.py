"""Tickets: a browser sends no `Authorization` with a socket, and an access token does not belong into a URL, which logs keep."""

import hashlib
import secrets
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from ..redis_pool import RedisPool
from ..service import Principal


class Admission(BaseModel):
    """Whom a ticket admits, and from where."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    principal_id: UUID
    permissions: frozenset[str]
    tenant_id: UUID | None
    method: str
    expires_at: datetime | None
    #: The origin of the page that asked for the ticket; None if it was no page.
    origin: str | None
    #: Somebody can tell later whether this principal still has access.
    can_be_rechecked: bool

    @classmethod
    def of(cls, principal: Principal, origin: str | None, *, can_be_rechecked: bool) -> Self:
        """Return the admission of a caller."""
        return cls(
            principal_id=principal.id,
            permissions=principal.permissions,
            tenant_id=principal.tenant_id,
            method=principal.method,
            expires_at=principal.expires_at,
            origin=origin,
            can_be_rechecked=can_be_rechecked,
        )

    def principal(self) -> Principal:
        """Return the caller."""
        return Principal(self.principal_id, self.permissions, self.tenant_id, self.method, self.expires_at)


class TicketOffice:
    """Sells tickets that are good for one admission within seconds."""

    def __init__(self, redis: RedisPool, seconds: int) -> None:
        self._redis = redis
        self.seconds = seconds

    async def sell(self, admission: Admission) -> str:
        """Return a new ticket; Redis knows only its hash."""
        ticket = secrets.token_urlsafe(32)
        await self._redis.client.set(self._place_of(ticket), admission.model_dump_json(), ex=self.seconds)
        return ticket

    async def admit(self, ticket: str) -> Admission | None:
        """Return whom this ticket admits, and tear it up; None if it is not valid (any more)."""
        found = await self._redis.client.getdel(self._place_of(ticket))
        return None if found is None else Admission.model_validate_json(found)

    def _place_of(self, ticket: str) -> str:
        return self._redis.key("websockets", "ticket", hashlib.sha256(ticket.encode()).hexdigest())
