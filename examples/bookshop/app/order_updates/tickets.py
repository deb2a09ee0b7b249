"""Tickets: a browser sends no header with a websocket, and an access token does not belong into a URL."""

import hashlib
import secrets
from uuid import UUID

from redis.asyncio import Redis

TICKET_SECONDS = 30


class TicketOffice:
    """Sells tickets that are good for one admission within half a minute."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def sell(self, user_id: UUID) -> str:
        """Return a new ticket; Redis knows only its hash."""
        ticket = secrets.token_urlsafe(32)
        await self._redis.set(self._place_of(ticket), str(user_id), ex=TICKET_SECONDS)
        return ticket

    async def admit(self, ticket: str) -> UUID | None:
        """Return whose ticket this is, and tear it up; None if it is not valid (any more)."""
        user_id = await self._redis.getdel(self._place_of(ticket))
        return None if user_id is None else UUID(str(user_id))

    @staticmethod
    def _place_of(ticket: str) -> str:
        return f"bookshop:socket-tickets:{hashlib.sha256(ticket.encode()).hexdigest()}"
