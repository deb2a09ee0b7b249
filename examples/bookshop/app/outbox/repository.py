"""Queries for outbox events, as the API needs them."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.outbox.models import EventKind, OutboxEvent


class OutboxRepository:
    """Adds events to the transaction of the request."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, kind: EventKind, payload: dict[str, str]) -> None:
        """Add an event; the caller's commit makes it real together with its cause.

        Args:
            kind: what has happened.
            payload: identifiers, never secrets: a token is made by the worker that sends it.
        """
        self._session.add(OutboxEvent(kind=kind, payload=payload))
