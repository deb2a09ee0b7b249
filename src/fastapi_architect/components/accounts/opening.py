"""Accounts opened on the command line: a service has no administrator until somebody makes the first one."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import Database
from .emails import email_key
from .initial_passwords import LIFETIME
from .models import Account
from .passwords import PasswordHashing
from .repository import AccountRepository


async def open_account(
    database: Database,
    hashing: PasswordHashing,
    email: str,
    roles: Sequence[str],
    *,
    one_time: bool = False,
) -> str | None:
    """Open an account without a proof of its address, and return the password that was generated for it.

    None: the address has an account already, and nothing was changed.

    Args:
        database: where the accounts are.
        hashing: of passwords.
        email: of its owner.
        roles: of the account.
        one_time: the password is good for `initial_passwords.LIFETIME`, and only to choose another. If that time passed and
            nobody came, a new one is made.
    """
    password = secrets.token_urlsafe(18)
    password_hash = await hashing.hash(password)
    until = datetime.now(UTC) + LIFETIME if one_time else None
    async with database.sessions.begin() as session:
        accounts = AccountRepository(session)
        added = await accounts.add_unless_known(
            email, password_hash, "", sorted(set(roles)), initial_password_until=until
        )
        is_good = added is not None or (
            until is not None and await accounts.renew_initial_password(email, password_hash, until)
        )
    return password if is_good else None


async def set_roles(database: Database, email: str, roles: Sequence[str]) -> bool:
    """Give an account these roles and no others; say whether there is such an account."""
    async with database.sessions.begin() as session:
        return await _set_roles(session, email, roles)


async def _set_roles(session: AsyncSession, email: str, roles: Sequence[str]) -> bool:
    statement = (
        update(Account)
        .where(Account.email_key == email_key(email))
        .values(roles=sorted(set(roles)), version=Account.version + 1)
        .returning(Account.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None
