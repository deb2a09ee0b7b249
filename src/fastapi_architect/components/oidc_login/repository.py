"""Queries for identities and attempts."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ..accounts import Account, email_key
from .models import OidcAttempt, OidcIdentity


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was said to the provider when the browser left."""

    nonce: str
    code_verifier: str


class OidcRepository:
    """Reads and writes on the session of a request."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add_attempt(self, attempt: OidcAttempt) -> None:
        """Remember a browser that leaves."""
        self._session.add(attempt)

    async def use_attempt(self, state_hash: str, browser_hash: str) -> Attempt | None:
        """Use an attempt up, and return it if it is that browser's and not too old. Old ones go on the way."""
        statement = (
            delete(OidcAttempt)
            .where(OidcAttempt.state_hash == state_hash)
            .returning(
                OidcAttempt.nonce,
                OidcAttempt.code_verifier,
                (OidcAttempt.browser_hash == browser_hash) & (OidcAttempt.expires_at > func.now()),
            )
        )
        found = (await self._session.execute(statement)).one_or_none()
        await self._session.execute(delete(OidcAttempt).where(OidcAttempt.expires_at < func.now()))
        return Attempt(found[0], found[1]) if found is not None and found[2] else None

    async def find_account(self, issuer: str, subject: str) -> Account | None:
        """Return the account of somebody at a provider."""
        statement = (
            select(Account)
            .join(OidcIdentity, OidcIdentity.account_id == Account.id)
            .where(OidcIdentity.issuer == issuer, OidcIdentity.subject == subject)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def find_account_by_email(self, email: str) -> Account | None:
        """Return the account with this address."""
        statement = select(Account).where(Account.email_key == email_key(email))
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def open_account(self, email: str, display_name: str, roles: list[str]) -> Account | None:
        """Open an account without a password; None if the address has got one meanwhile."""
        statement = (
            insert(Account)
            .values(
                email=email,
                email_key=email_key(email),
                display_name=display_name,
                roles=roles,
                password_hash=None,
            )
            .on_conflict_do_nothing(index_elements=[Account.email_key])
            .returning(Account)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def link(self, account_id: UUID, issuer: str, subject: str) -> None:
        """Say who the owner of an account is at the provider. Doing it again changes nothing."""
        statement = (
            insert(OidcIdentity)
            .values(account_id=account_id, issuer=issuer, subject=subject)
            .on_conflict_do_nothing(index_elements=[OidcIdentity.issuer, OidcIdentity.subject])
        )
        await self._session.execute(statement)
