"""What people do with accounts: open one, get back into it, change it; and what administrators do."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ..database import PageQuery, Slice
from ..outbox import add_event
from ..problem_details.errors import Conflict, Forbidden, InvalidInput, NotAuthenticated
from ..service.principal import Principal
from .attempts import AttemptCounter, Limit, attempt_key, refuse
from .models import Account, MailedToken, Purpose
from .passwords import PasswordHashing, PasswordPolicy
from .principal import AccountPrincipal
from .repository import AccountRepository, MailedTokenRepository
from .session_repository import Origin, SessionRepository
from .settings import AccountSettings
from .sign_in import SignIn
from .tokens import hash_token

logger = logging.getLogger(__name__)

_LINK_IS_OVER = "This link is not valid any more. Ask for another one."
_ADDRESS_IS_TAKEN = "This e-mail address has an account already. Sign in, or reset the password."


class Roles(Protocol):
    """What roles may do; `Access` is it."""

    @property
    def roles(self) -> dict[str, frozenset[str]]:
        """The permissions of each role."""

    def permissions_of_roles(self, roles: Sequence[str]) -> frozenset[str]:
        """Return what somebody with these roles may do."""


class AccountService:
    """Opens, recovers and changes accounts.

    Args:
        session: of the request.
        settings: ACCOUNTS_*.
        hashing: of passwords.
        policy: which passwords are accepted.
        sign_in: on the same session.
        roles: what each role may do.
        new_account_roles: of whoever registers.
    """

    def __init__(
        self,
        *,
        session: AsyncSession,
        settings: AccountSettings,
        hashing: PasswordHashing,
        policy: PasswordPolicy,
        sign_in: SignIn,
        roles: Roles,
        new_account_roles: Sequence[str],
    ) -> None:
        self._session = session
        self._settings = settings
        self._hashing = hashing
        self._policy = policy
        self._sign_in = sign_in
        self._roles = roles
        self._new_account_roles = tuple(new_account_roles)
        self._accounts = AccountRepository(session)
        self._sessions = SessionRepository(session)
        self._mailed = MailedTokenRepository(session)
        self._attempts = AttemptCounter(session, timedelta(minutes=settings.attempt_window_minutes))

    async def ask_to_register(self, email: str, origin: Origin) -> None:
        """Have a link sent with which an account can be opened, or a note that there is one.

        The worker looks which; the request does the same for every address.

        Raises:
            TooManyRequests: too many mails were asked for from there.
        """
        await self._count_mail(origin)
        add_event(self._session, "accounts.registration_requested", {"email": email})
        await self._session.commit()

    async def register(self, token: str, password: str, display_name: str, origin: Origin) -> Account:
        """Open an account with the token from the mail. Whoever reads the mail chooses the password, and nobody before.

        Raises:
            InvalidInput: the link is over, or the password is easily guessed.
            Conflict: the address has got an account meanwhile.
        """
        mailed = await self._usable(Purpose.REGISTER, token)
        await self._policy.check(password, (mailed.email, display_name, self._settings.issuer))
        password_hash = await self._hash(password)
        await self._spend(mailed, origin)
        account_id = await self._accounts.add_unless_known(
            mailed.email, password_hash, display_name, self._new_account_roles
        )
        if account_id is None:
            # The token is used up all the same.
            await self._session.commit()
            raise Conflict(_ADDRESS_IS_TAKEN)
        account = await self._accounts.get(account_id)
        await self._session.commit()
        logger.info("account opened", extra={"account_id": str(account_id)})
        return account

    async def ask_for_reset(self, email: str, origin: Origin) -> None:
        """Have a link sent with which the password can be reset, if there is an account. The worker looks.

        Raises:
            TooManyRequests: too many mails were asked for from there.
        """
        await self._count_mail(origin)
        add_event(self._session, "accounts.reset_requested", {"email": email})
        await self._session.commit()

    async def reset_password(self, token: str, password: str, origin: Origin) -> None:
        """Set a new password with the token from the mail, and end everything that was signed in.

        Raises:
            InvalidInput: the link is over, or the password is easily guessed.
        """
        mailed = await self._usable(Purpose.RESET, token)
        await self._policy.check(password, (mailed.email, self._settings.issuer))
        password_hash = await self._hash(password)
        await self._spend(mailed, origin)
        if mailed.account_id is None or not await self._accounts.set_password(
            mailed.account_id, password_hash
        ):
            raise InvalidInput(_LINK_IS_OVER)
        await self._end_everything(mailed.account_id)
        # The owner is known here now, whatever somebody else is guessing.
        await self._sign_in.welcome_back(mailed.email, origin)
        await self._session.commit()
        logger.info("password reset", extra={"account_id": str(mailed.account_id)})

    async def read(self, account_id: UUID) -> Account:
        """Return an account; the caller says whose it may be.

        Raises:
            NotFound: there is none.
        """
        return await self._accounts.get(account_id)

    async def rename(self, principal: AccountPrincipal, display_name: str) -> Account:
        """Change how the caller is called."""
        account = await self._accounts.get(principal.id)
        account.display_name = display_name
        await self._session.commit()
        return account

    async def change_password(
        self, principal: AccountPrincipal, present: str, password: str, origin: Origin
    ) -> None:
        """Replace the caller's password, and end everything that is signed in, this session included.

        Raises:
            Forbidden: the present password is wrong.
            TooManyRequests: it was tried too often.
            InvalidInput: the new one is easily guessed, or the one that was made for them.
        """
        account = await self._accounts.get(principal.id)
        if account.initial_password_until is not None and password == present:
            raise InvalidInput("This is the password that was made for you. Choose another one.")
        await self._policy.check(password, (account.email, account.display_name, self._settings.issuer))
        await self._prove(account, present, origin)
        password_hash = await self._hash(password)
        await self._accounts.set_password(account.id, password_hash)
        await self._end_everything(account.id)
        add_event(self._session, "accounts.password_changed", {"account_id": str(account.id)})
        await self._session.commit()
        logger.info("password changed", extra={"account_id": str(account.id)})

    async def ask_to_change_email(
        self, principal: AccountPrincipal, password: str, email: str, origin: Origin
    ) -> None:
        """Have a link sent to a new address; the account keeps the old one until the link was followed.

        Raises:
            Forbidden: the password is wrong.
            TooManyRequests: it was tried too often, or too many mails were asked for.
        """
        account = await self._accounts.get(principal.id)
        await self._prove(account, password, origin)
        await self._count_mail(origin)
        payload = {"account_id": str(principal.id), "email": email}
        add_event(self._session, "accounts.email_change_requested", payload)
        await self._session.commit()

    async def change_email(self, token: str, origin: Origin) -> None:
        """Believe that a new address is the owner's, with the token that was sent there.

        Raises:
            InvalidInput: the link is over.
            Conflict: another account has got the address meanwhile.
        """
        mailed = await self._usable(Purpose.CHANGE_EMAIL, token)
        await self._spend(mailed, origin)
        account = None if mailed.account_id is None else await self._accounts.find(mailed.account_id)
        if account is None or not account.is_active:
            raise InvalidInput(_LINK_IS_OVER)
        old = account.email
        if not await self._accounts.set_email(account.id, mailed.email):
            await self._session.commit()
            raise Conflict("Another account has this e-mail address.")
        # What was sent to the old address is worth nothing now.
        await self._mailed.void_all(account.id)
        payload = {"account_id": str(account.id), "old_email": old}
        add_event(self._session, "accounts.email_changed", payload)
        await self._session.commit()
        logger.info("e-mail address changed", extra={"account_id": str(account.id)})

    async def list_accounts(self, query: PageQuery) -> Slice[Account]:
        """Return a page of accounts, newest first."""
        return await self._accounts.list(query)

    async def administer(
        self,
        admin: Principal,
        account_id: UUID,
        version: int,
        *,
        roles: Sequence[str] | None,
        is_active: bool | None,
    ) -> Account:
        """Change the roles of an account, or deactivate or activate it. None leaves things as they are.

        Raises:
            NotFound: there is no such account.
            Conflict: it is the caller's own, or it has changed since they looked.
            InvalidInput: there is no such role.
            Forbidden: it has, or would get, permissions that the caller has not.
        """
        if account_id == admin.id:
            raise Conflict("Nobody changes their own roles or deactivates themselves.")
        account = await self._accounts.get(account_id)
        if account.version != version:
            raise Conflict("The account has changed meanwhile. Read it again.")
        self._refuse_beyond(admin, account, roles)
        if roles is not None:
            account.roles = sorted(set(roles))
        if is_active is not None and is_active != account.is_active:
            account.deactivated_at = None if is_active else datetime.now(UTC)
        await self._session.flush()
        if not account.is_active:
            await self._end_everything(account_id)
            await self._accounts.end_access(account_id)
        await self._session.commit()
        facts = {"account_id": str(account_id), "admin_id": str(admin.id), "is_active": account.is_active}
        logger.info("account administered", extra=facts | {"roles": account.roles})
        return account

    def _refuse_beyond(self, admin: Principal, account: Account, roles: Sequence[str] | None) -> None:
        unknown = set(roles or ()) - set(self._roles.roles)
        if unknown:
            raise InvalidInput(f"There is no such role: {', '.join(sorted(unknown))}.")
        concerned = self._roles.permissions_of_roles([*account.roles, *(roles or ())])
        if concerned - admin.permissions:
            raise Forbidden("This account has, or would get, permissions that you have not.")

    async def _prove(self, account: Account, password: str, origin: Origin) -> None:
        try:
            await self._sign_in.prove(account.email, password, origin)
        except NotAuthenticated:
            # Not 401, upon which a client would refresh its tokens and try again.
            raise Forbidden("The present password is wrong.") from None

    async def _usable(self, purpose: Purpose, token: str) -> MailedToken:
        mailed = await self._mailed.find_usable(purpose, hash_token(token))
        if mailed is None:
            raise InvalidInput(_LINK_IS_OVER)
        return mailed

    async def _spend(self, mailed: MailedToken, origin: Origin) -> None:
        if not await self._mailed.spend(Purpose(mailed.purpose), mailed.token_hash, origin.address):
            raise InvalidInput(_LINK_IS_OVER)

    async def _hash(self, password: str) -> str:
        # No transaction is open while the password waits for its turn.
        await self._session.commit()
        return await self._hashing.hash(password)

    async def _end_everything(self, account_id: UUID) -> None:
        await self._sessions.end_all(account_id)
        await self._mailed.void_all(account_id)

    async def _count_mail(self, origin: Origin) -> None:
        secret = self._settings.signing_key.get_secret_value()
        limit = Limit(attempt_key(secret, "mails", origin.address), self._settings.attempts_per_address)
        (counted,) = await self._attempts.count([limit])
        if counted.is_over:
            raise refuse(counted)
