"""Queries for sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from .models import Account, AccountSession
from .tokens import RefreshToken

_UNSYNCHRONIZED = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as its owner will see it in the list of sessions."""

    client: str
    address: str


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A session whose refresh token was exchanged just now."""

    session_id: UUID
    account_id: UUID
    epoch: int
    expires_at: datetime


class SessionRepository:
    """Begins, refreshes, lists and ends sessions."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def begin(
        self, account: Account, token: RefreshToken, expires_at: datetime, origin: Origin
    ) -> AccountSession:
        """Begin a session. It is alive if nothing ended the access of the account since it was read."""
        now = datetime.now(UTC)
        begun = AccountSession(
            id=uuid7(),
            account_id=account.id,
            epoch=account.access_epoch,
            family_hash=token.family_hash,
            token_hash=token.once_hash,
            client=origin.client,
            address=origin.address,
            created_at=now,
            refreshed_at=now,
            expires_at=expires_at,
        )
        self._session.add(begun)
        return begun

    async def rotate(self, old: RefreshToken, new: RefreshToken) -> Refreshed | None:
        """Exchange the present token of a session for the next one; None when it is not the present one (any more).

        It is one statement: of requests with the same token one finds it, and the others find its successor.
        """
        statement = (
            update(AccountSession)
            .where(
                AccountSession.family_hash == old.family_hash,
                AccountSession.token_hash == old.once_hash,
                AccountSession.revoked_at.is_(None),
                AccountSession.expires_at > func.now(),
                Account.id == AccountSession.account_id,
                Account.access_epoch == AccountSession.epoch,
                Account.deactivated_at.is_(None),
            )
            .values(token_hash=new.once_hash, refreshed_at=func.now())
            .returning(AccountSession.id, Account.id, Account.access_epoch, AccountSession.expires_at)
            .execution_options(**_UNSYNCHRONIZED)
        )
        row = (await self._session.execute(statement)).one_or_none()
        return None if row is None else Refreshed(row[0], row[1], row[2], row[3])

    async def end_family(self, token: RefreshToken) -> UUID | None:
        """End the session that this token ever belonged to; return it, if it was alive."""
        statement = (
            update(AccountSession)
            .where(AccountSession.family_hash == token.family_hash, AccountSession.revoked_at.is_(None))
            .values(revoked_at=func.now())
            .returning(AccountSession.id)
            .execution_options(**_UNSYNCHRONIZED)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def list_alive(self, account_id: UUID, limit: int) -> Sequence[AccountSession]:
        """Return the newest sessions of an account that are alive."""
        statement = (
            select(AccountSession)
            .where(
                AccountSession.account_id == account_id,
                AccountSession.revoked_at.is_(None),
                AccountSession.expires_at > func.now(),
            )
            .order_by(AccountSession.id.desc())
            .limit(limit)
        )
        return (await self._session.execute(statement)).scalars().all()

    async def end(self, account_id: UUID, session_id: UUID) -> bool:
        """End one session of an account; say whether it has such a one."""
        statement = (
            update(AccountSession)
            .where(AccountSession.id == session_id, AccountSession.account_id == account_id)
            .values(revoked_at=func.coalesce(AccountSession.revoked_at, func.now()))
            .returning(AccountSession.id)
            .execution_options(**_UNSYNCHRONIZED)
        )
        return (await self._session.execute(statement)).scalar_one_or_none() is not None

    async def end_all(self, account_id: UUID) -> None:
        """End all sessions of an account."""
        await self._session.execute(
            update(AccountSession)
            .where(AccountSession.account_id == account_id, AccountSession.revoked_at.is_(None))
            .values(revoked_at=func.now())
            .execution_options(**_UNSYNCHRONIZED)
        )
