"""Queries for tokens. Each token is spent in one statement, so that two requests cannot both spend it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.models import OneTimeToken, Purpose, RefreshToken


@dataclass(frozen=True)
class SpentRefreshToken:
    """A refresh token that was exchanged just now."""

    user_id: UUID
    family_id: UUID
    expires_at: datetime


class RefreshTokenRepository:
    """Adds, spends and revokes refresh tokens."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, user_id: UUID, family_id: UUID, token_hash: str, expires_at: datetime) -> None:
        """Remember a refresh token by its hash."""
        token = RefreshToken(
            user_id=user_id, family_id=family_id, token_hash=token_hash, expires_at=expires_at
        )
        self._session.add(token)

    async def spend(self, token_hash: str) -> SpentRefreshToken | None:
        """Mark a token as used and return it, or None when it cannot be used (any more)."""
        statement = (
            update(RefreshToken)
            .where(
                RefreshToken.token_hash == token_hash,
                RefreshToken.used_at.is_(None),
                RefreshToken.revoked_at.is_(None),
                RefreshToken.expires_at > datetime.now(UTC),
            )
            .values(used_at=func.now())
            .returning(RefreshToken.user_id, RefreshToken.family_id, RefreshToken.expires_at)
        )
        row = (await self._session.execute(statement)).one_or_none()
        return None if row is None else SpentRefreshToken(row.user_id, row.family_id, row.expires_at)

    async def find_family(self, token_hash: str) -> UUID | None:
        """Return the family of a token, used or not."""
        statement = select(RefreshToken.family_id).where(RefreshToken.token_hash == token_hash)
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def revoke_family(self, family_id: UUID) -> None:
        """End one session."""
        await self._session.execute(
            update(RefreshToken)
            .where(RefreshToken.family_id == family_id, RefreshToken.revoked_at.is_(None))
            .values(revoked_at=func.now())
        )

    async def revoke_own(self, user_id: UUID, token_hash: str) -> None:
        """End the session that a user's own token belongs to."""
        own_family = select(RefreshToken.family_id).where(
            RefreshToken.token_hash == token_hash, RefreshToken.user_id == user_id
        )
        await self._session.execute(
            update(RefreshToken)
            .where(RefreshToken.user_id == user_id, RefreshToken.family_id.in_(own_family))
            .values(revoked_at=func.now())
        )

    async def revoke_all(self, user_id: UUID) -> None:
        """End all sessions of a user."""
        await self._session.execute(
            update(RefreshToken)
            .where(RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None))
            .values(revoked_at=func.now())
        )


class OneTimeTokenRepository:
    """Spends the tokens that were sent by e-mail."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def spend(self, purpose: Purpose, token_hash: str) -> UUID | None:
        """Mark a token as used and return its user, or None when it cannot be used (any more)."""
        statement = (
            update(OneTimeToken)
            .where(
                OneTimeToken.token_hash == token_hash,
                OneTimeToken.purpose == purpose,
                OneTimeToken.used_at.is_(None),
                OneTimeToken.expires_at > datetime.now(UTC),
            )
            .values(used_at=func.now())
            .returning(OneTimeToken.user_id)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def spend_others(self, purpose: Purpose, user_id: UUID) -> None:
        """Mark the user's other tokens of the same purpose as used: one reset is enough."""
        await self._session.execute(
            update(OneTimeToken)
            .where(
                OneTimeToken.user_id == user_id,
                OneTimeToken.purpose == purpose,
                OneTimeToken.used_at.is_(None),
            )
            .values(used_at=func.now())
        )
