"""Statements about kept answers."""

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from .models import IdempotentAnswer


class IdempotentAnswerRepository:
    """Kept answers, in the transaction of the session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self, place: bytes) -> bool:
        """Take the place until the transaction ends; tell whether it was free. Nobody waits, nothing is written."""
        number = int.from_bytes(place[:8], "big", signed=True)
        taken = await self._session.scalar(select(func.pg_try_advisory_xact_lock(number)))
        return bool(taken)

    async def find(self, place: bytes) -> tuple[bytes, bytes] | None:
        """Return fingerprint and answer, unless they have expired."""
        row = await self._session.execute(
            select(IdempotentAnswer.fingerprint, IdempotentAnswer.answer).where(
                IdempotentAnswer.place == place, IdempotentAnswer.expires_at > func.now()
            )
        )
        found = row.one_or_none()
        return None if found is None else (found[0], found[1])

    async def add(self, place: bytes, fingerprint: bytes, answer: bytes, keep: timedelta) -> None:
        """Keep an answer, in place of one that has expired."""
        values = {
            "fingerprint": fingerprint,
            "answer": answer,
            "created_at": func.now(),
            "expires_at": func.now() + keep,
        }
        await self._session.execute(
            insert(IdempotentAnswer)
            .values(place=place, **values)
            .on_conflict_do_update(index_elements=[IdempotentAnswer.place], set_=values)
        )

    async def delete_expired(self, limit: int) -> int:
        """Delete expired answers that nobody else is deleting; return how many."""
        expired = (
            select(IdempotentAnswer.place)
            .where(IdempotentAnswer.expires_at <= func.now())
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        deleted = await self._session.execute(
            delete(IdempotentAnswer)
            .where(IdempotentAnswer.place.in_(expired))
            .returning(IdempotentAnswer.place)
        )
        return len(deleted.all())
