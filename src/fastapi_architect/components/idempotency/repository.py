"""Statements about kept answers."""

from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, Interval, and_, bindparam, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from .models import IdempotentAnswer

# Built once: building them costs more than sending them.
_TAKE = (
    select(
        func.pg_try_advisory_xact_lock(bindparam("number", type_=BigInteger())),
        IdempotentAnswer.fingerprint,
        IdempotentAnswer.answer,
    )
    .select_from(select(literal(1)).subquery())
    .outerjoin(
        IdempotentAnswer,
        and_(IdempotentAnswer.place == bindparam("place"), IdempotentAnswer.expires_at > func.now()),
    )
)
_NEW: dict[str, Any] = {
    "fingerprint": bindparam("fingerprint"),
    "answer": bindparam("answer"),
    "created_at": func.now(),
    "expires_at": func.now() + bindparam("keep", type_=Interval()),
}
_INSERT = insert(IdempotentAnswer).values(place=bindparam("place"), **_NEW)
_ADD = _INSERT.on_conflict_do_update(
    index_elements=[IdempotentAnswer.place],
    set_={name: _INSERT.excluded[name] for name in _NEW},
    where=IdempotentAnswer.expires_at <= func.now(),
).returning(IdempotentAnswer.place)


class IdempotentAnswerRepository:
    """Kept answers, in the transaction of the session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take(self, place: bytes) -> tuple[bool, tuple[bytes, bytes] | None]:
        """Take the place until the transaction ends; nobody waits, nothing is written.

        Returns:
            Whether it was free, and fingerprint and answer if some lie there that have not expired.
        """
        number = int.from_bytes(place[:8], "big", signed=True)
        row = await self._session.execute(_TAKE, {"number": number, "place": place})
        is_free, fingerprint, answer = row.one()
        return bool(is_free), None if answer is None else (fingerprint, answer)

    async def add(self, place: bytes, fingerprint: bytes, answer: bytes, keep: timedelta) -> bool:
        """Keep an answer, in place of one that has expired; tell whether there was no other."""
        values = {"place": place, "fingerprint": fingerprint, "answer": answer, "keep": keep}
        connection = await self._session.connection()
        added = await connection.execute(_ADD, values)
        return added.one_or_none() is not None

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
