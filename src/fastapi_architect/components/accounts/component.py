"""Accounts as a component: it tells callers by their access token, and has the routes."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from ..access import Access
from ..outbox import Periodic
from ..problem_details import NotAuthenticated
from ..service import Person, Principal, installed
from .equipment import AccountEquipment
from .initial_passwords import refuse_initial_password
from .mails import AccountMails
from .passwords import PasswordHashing, PasswordPolicy
from .principal import METHOD, AccountPrincipal
from .repository import AccountRepository, roles_column
from .router import administration, own_account, signing_in
from .settings import AccountSettings

_SCHEME = "bearer "


class Accounts(AccountEquipment):
    """Registration, signing in, sessions, recovery and administration of accounts.

    Args:
        settings: ACCOUNTS_*.
        prefix: of the routes.
        hashing: how passwords are hashed; by default with Argon2id, `settings.hashes_at_once` at a time.
        policy: which new passwords are accepted.
        mails: the texts that are sent.
        new_account_roles: of whoever registers.
    """

    security_scheme: tuple[str, dict[str, Any]] = (
        "access_token",
        {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token of `POST /auth/login`.",
        },
    )
    task_modules: Sequence[str] = (f"{__package__}.tasks",)
    schedule: Mapping[str, Periodic] = {
        "accounts.clean": Periodic("accounts.clean", every=timedelta(hours=6))
    }

    def __init__(
        self,
        settings: AccountSettings,
        *,
        prefix: str = "/api/v1",
        hashing: PasswordHashing | None = None,
        policy: PasswordPolicy | None = None,
        mails: AccountMails | None = None,
        new_account_roles: Sequence[str] = (),
    ) -> None:
        hashing = hashing or PasswordHashing(at_once=settings.hashes_at_once)
        super().__init__(settings, hashing, policy or PasswordPolicy(), new_account_roles)
        self.prefix = prefix
        self.mails = mails or AccountMails(settings.website_url)

    def install(self, app: FastAPI) -> None:
        """Add the routes."""
        self.roles = installed(app, Access)
        for router in (signing_in, own_account, administration):
            app.include_router(router, prefix=self.prefix)

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Be ready to take as long for an unknown name as for a known one."""
        await self.hashing.prepare()
        yield

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return whose access token this is. The account and its session are asked for on every request.

        So what ends an account, a session or a right ends it at once, and not when the token does.

        Raises:
            NotAuthenticated: the token is not valid, or what stands behind it has ended.
            PasswordMustBeChanged: its owner signed in with a password that was made for them, and has to choose another first.
        """
        header = connection.headers.get("authorization", "")
        token = header[len(_SCHEME) :].strip()
        # Another kind of bearer token may be somebody else's: a JWT has three parts.
        if header[: len(_SCHEME)].lower() != _SCHEME or token.count(".") != 2:
            return None
        claims = self.tokens.decode(token)
        accounts = AccountRepository(session)
        access = await accounts.find_access(claims.account_id, claims.session_id, claims.epoch)
        if access is None:
            raise NotAuthenticated("The access token is not valid.")
        if access.must_change_password:
            refuse_initial_password(connection, self.password_path)
        return AccountPrincipal(
            id=claims.account_id,
            permissions=self.roles.permissions_of_roles(access.roles),
            method=METHOD,
            session_id=claims.session_id,
        )

    async def people(self, session: AsyncSession, ids: Collection[UUID]) -> Mapping[UUID, Person]:
        """Return the owners of these accounts."""
        return await AccountRepository(session).people(ids)

    async def permissions_of(self, principal_id: UUID, session: AsyncSession) -> frozenset[str] | None:
        """Return what the holder of an account may do at present; None for whoever has none, or an inactive one."""
        roles = await AccountRepository(session).find_active_roles(principal_id)
        return self.permissions_from(roles)

    def permission_column(self, principal_id: ColumnElement[UUID]) -> ColumnElement[Any]:
        """Return the same for a query that looks for something else of theirs."""
        return roles_column(principal_id)

    def permissions_from(self, value: Sequence[str] | None) -> frozenset[str] | None:
        """Return what the roles of an active account allow."""
        return None if value is None else self.roles.permissions_of_roles(value)
