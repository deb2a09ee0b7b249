"""Queries for the work of one organisation, by the lane that its events are in."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.outbox import OutboxEvent
from fastapi_architect.components.problem_details import NotFound


class WorkRepository:
    """Finds and lists what was given up of one organisation."""

    def __init__(self, session: AsyncSession, tenant_id: UUID) -> None:
        self._session = session
        self._lane = str(tenant_id)

    def visible(self) -> Select[OutboxEvent]:
        """Return the query that every other one begins with: the table knows no other owner than the lane."""
        return select(OutboxEvent).where(OutboxEvent.lane == self._lane)

    async def list(self, topic: str | None, before: UUID | None, limit: int) -> Sequence[OutboxEvent]:
        """Return dead letters, those of the newest work first."""
        statement = self.visible().where(OutboxEvent.dead_at.is_not(None))
        if topic is not None:
            statement = statement.where(OutboxEvent.topic == topic)
        if before is not None:
            statement = statement.where(OutboxEvent.id < before)
        rows = await self._session.execute(statement.order_by(OutboxEvent.id.desc()).limit(limit))
        return rows.scalars().all()

    async def get(self, event_id: UUID, *, locked: bool = False) -> OutboxEvent:
        """Return a piece of work that was given up, or was until somebody replayed it.

        Raises:
            NotFound: there is none, it was never given up, or it is another organisation's.
        """
        statement = self.visible().where(OutboxEvent.id == event_id)
        if locked:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        event = (await self._session.execute(statement)).scalar_one_or_none()
        if event is None or (event.dead_at is None and event.replayed_at is None):
            raise NotFound("There is no such dead letter.")
        return event
