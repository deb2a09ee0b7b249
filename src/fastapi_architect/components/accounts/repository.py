"""Queries for accounts and for the tokens that were mailed to them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from ..database import Order, Repository
from ..service.people import Person
from .emails import email_key
from .models import Account, AccountSession, MailedToken, Purpose

_UNSYNCHRONIZED = {"synchronize_session": False}

#: Made once: it runs for every request.
_PRESENT_ACCESS = (
    select(Account.roles, Account.initial_password_until.is_not(None))
    .join(AccountSession, AccountSession.account_id == Account.id)
    .where(
        Account.id == bindparam("account_id"),
        Account.access_epoch == bindparam("epoch"),
        Account.deactivated_at.is_(None),
        AccountSession.id == bindparam("session_id"),
        AccountSession.revoked_at.is_(None),
        AccountSession.expires_at > func.now(),
    )
)


@dataclass(frozen=True, slots=True)
class PresentAccess:
    """What somebody who signed in may do now.

    Attributes:
        roles: of the account.
        must_change_password: before anything else.
    """

    roles: Sequence[str]
    must_change_password: bool


def roles_column(account_id: ColumnElement[UUID]) -> ColumnElement[Sequence[str]]:
    """Return the roles of an account as a column of another query: NULL if it is deactivated, or none."""
    statement = select(Account.roles).where(Account.id == account_id, Account.deactivated_at.is_(None))
    return statement.scalar_subquery()


class AccountRepository(Repository[Account]):
    """Finds, adds and changes accounts; the caller says whose they may be."""

    model = Account
    orders: ClassVar[Mapping[str, Order]] = {"newest": Order(Account.id, descending=True)}
    missing = "There is no such account."

    async def find_access(self, account_id: UUID, session_id: UUID, epoch: int) -> PresentAccess | None:
        """Return what the owner of an account may do, if it, the session and the epoch are good now."""
        values = {"account_id": account_id, "session_id": session_id, "epoch": epoch}
        row = (await self._session.execute(_PRESENT_ACCESS, values)).one_or_none()
        return None if row is None else PresentAccess(*row)

    async def find_active_roles(self, account_id: UUID) -> Sequence[str] | None:
        """Return the roles of an account unless it is deactivated."""
        return (await self._session.execute(select(roles_column(literal(account_id))))).scalar_one_or_none()

    async def people(self, ids: Collection[UUID]) -> Mapping[UUID, Person]:
        """Return the owners of these accounts, deactivated ones too: they still belong to what they belong to."""
        statement = select(Account.id, Account.email, Account.display_name).where(Account.id.in_(ids))
        rows = await self._session.execute(statement)
        return {account_id: Person(email, name) for account_id, email, name in rows}

    async def find_for_sign_in(self, email: str, address: str) -> tuple[Account, bool] | None:
        """Return an account, and whether its owner has been at this network address before."""
        signed_in = exists().where(AccountSession.account_id == Account.id, AccountSession.address == address)
        proved = exists().where(MailedToken.account_id == Account.id, MailedToken.used_address == address)
        statement = select(Account, or_(signed_in, proved)).where(Account.email_key == email_key(email))
        row = (await self._session.execute(statement)).one_or_none()
        return None if row is None else (row[0], row[1])

    async def add_unless_known(
        self,
        email: str,
        password_hash: str | None,
        display_name: str,
        roles: Sequence[str],
        *,
        initial_password_until: datetime | None = None,
    ) -> UUID | None:
        """Add an account and return its identifier, or None when the address has one already.

        Args:
            email: of its owner.
            password_hash: None for who signs in elsewhere only.
            display_name: how they are called.
            roles: of the account.
            initial_password_until: for a password that was made for them: they have to choose another until then.
        """
        statement = (
            insert(Account)
            .values(
                id=uuid7(),
                email=email,
                email_key=email_key(email),
                password_hash=password_hash,
                display_name=display_name,
                roles=list(roles),
                access_epoch=0,
                version=1,
                initial_password_until=initial_password_until,
            )
            .on_conflict_do_nothing(index_elements=[Account.email_key])
            .returning(Account.id)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def replace_hash(self, account_id: UUID, old: str, new: str) -> None:
        """Store a better hash of the same password, unless the password was changed meanwhile."""
        await self._session.execute(
            update(Account)
            .where(Account.id == account_id, Account.password_hash == old)
            .values(password_hash=new)
            .execution_options(**_UNSYNCHRONIZED)
        )

    async def set_password(self, account_id: UUID, password_hash: str) -> bool:
        """Store a new password, and make all access tokens worthless; say whether the account is active."""
        statement = (
            update(Account)
            .where(Account.id == account_id, Account.deactivated_at.is_(None))
            .values(
                password_hash=password_hash,
                initial_password_until=None,
                access_epoch=Account.access_epoch + 1,
                version=Account.version + 1,
            )
            .returning(Account.id)
            .execution_options(**_UNSYNCHRONIZED)
        )
        return (await self._session.execute(statement)).scalar_one_or_none() is not None

    async def renew_initial_password(self, email: str, password_hash: str, until: datetime) -> bool:
        """Store a new password in place of one that was made for somebody who did not come in time; say whether there was one."""
        statement = (
            update(Account)
            .where(
                Account.email_key == email_key(email),
                Account.initial_password_until <= func.now(),
                Account.deactivated_at.is_(None),
            )
            .values(
                password_hash=password_hash,
                initial_password_until=until,
                access_epoch=Account.access_epoch + 1,
                version=Account.version + 1,
            )
            .returning(Account.id)
            .execution_options(**_UNSYNCHRONIZED)
        )
        return (await self._session.execute(statement)).scalar_one_or_none() is not None

    async def set_email(self, account_id: UUID, email: str) -> bool:
        """Store a new address, which was proved; say whether no other account has it."""
        taken = exists().where(Account.email_key == email_key(email), Account.id != account_id)
        if (await self._session.execute(select(taken))).scalar_one():
            return False
        # Of two accounts that take it at the same moment one gets the constraint, which is a conflict too.
        await self._session.execute(
            update(Account)
            .where(Account.id == account_id)
            .values(email=email, email_key=email_key(email), version=Account.version + 1)
            .execution_options(**_UNSYNCHRONIZED)
        )
        return True

    async def end_access(self, account_id: UUID) -> None:
        """Make all access tokens of an account worthless."""
        await self._session.execute(
            update(Account)
            .where(Account.id == account_id)
            .values(access_epoch=Account.access_epoch + 1)
            .execution_options(**_UNSYNCHRONIZED)
        )


class MailedTokenRepository:
    """Spends the tokens that were mailed."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find_usable(self, purpose: Purpose, token_hash: str) -> MailedToken | None:
        """Return a token that could be spent now."""
        statement = select(MailedToken).where(
            MailedToken.token_hash == token_hash,
            MailedToken.purpose == purpose,
            MailedToken.used_at.is_(None),
            MailedToken.expires_at > func.now(),
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def spend(self, purpose: Purpose, token_hash: str, address: str) -> bool:
        """Mark a token as used, in one statement, so that two requests cannot both do it; say whether it was good."""
        statement = (
            update(MailedToken)
            .where(
                MailedToken.token_hash == token_hash,
                MailedToken.purpose == purpose,
                MailedToken.used_at.is_(None),
                MailedToken.expires_at > func.now(),
            )
            .values(used_at=func.now(), used_address=address)
            .returning(MailedToken.id)
            .execution_options(**_UNSYNCHRONIZED)
        )
        return (await self._session.execute(statement)).scalar_one_or_none() is not None

    async def void_all(self, account_id: UUID) -> None:
        """Make every token that is still open for an account worthless."""
        await self._session.execute(
            update(MailedToken)
            .where(MailedToken.account_id == account_id, MailedToken.used_at.is_(None))
            .values(used_at=func.now())
            .execution_options(**_UNSYNCHRONIZED)
        )
