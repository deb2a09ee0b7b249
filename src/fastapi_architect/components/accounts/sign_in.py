"""How people get in, stay in and leave."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ..problem_details.errors import NotAuthenticated, NotFound
from .attempts import AttemptCounter, Limit, attempt_key, refuse
from .emails import email_key
from .initial_passwords import is_over
from .models import Account, AccountSession
from .passwords import PasswordHashing
from .principal import AccountPrincipal
from .repository import AccountRepository
from .session_repository import Origin, SessionRepository
from .settings import AccountSettings
from .tokens import AccessClaims, AccessTokens, RefreshToken

logger = logging.getLogger(__name__)

#: One sentence for every reason.
REFUSED = "The e-mail address or the password is wrong."
#: More sessions than anybody reads.
LISTED_SESSIONS = 100


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client keeps after signing in."""

    access_token: str
    refresh_token: str
    expires_in: int


class SignIn:
    """Signs in and out, and refreshes."""

    def __init__(
        self, session: AsyncSession, settings: AccountSettings, hashing: PasswordHashing, tokens: AccessTokens
    ) -> None:
        self._session = session
        self._settings = settings
        self._hashing = hashing
        self._tokens = tokens
        self._accounts = AccountRepository(session)
        self._sessions = SessionRepository(session)
        self._attempts = AttemptCounter(session, timedelta(minutes=settings.attempt_window_minutes))

    async def log_in(self, email: str, password: str, origin: Origin) -> Tokens:
        """Exchange an e-mail address and a password for tokens.

        Whoever asks for an unknown address causes the same statements and the same work as for a wrong password.

        Raises:
            NotAuthenticated: always the same, whatever was wrong.
            TooManyRequests: too many tries, for whichever address.
        """
        account = await self.prove(email, password, origin)
        if self._hashing.needs_rehash(account.password_hash or ""):
            better = await self._hashing.hash(password)
            await self._accounts.replace_hash(account.id, account.password_hash or "", better)
        tokens = self.begin(account, origin)
        await self._session.commit()
        logger.info("signed in", extra={"account_id": str(account.id)})
        return tokens

    async def prove(self, email: str, password: str, origin: Origin) -> Account:
        """Return the account of which this is the password; no transaction is open while it is hashed.

        Raises:
            NotAuthenticated: the address, the password or both are wrong, the account is deactivated, or its password was made
                for somebody who did not come in time.
            TooManyRequests: too many tries, for whichever address.
        """
        client, everywhere, network = limits = self._limits(email, origin)
        of_client, of_everywhere, of_network = await self._attempts.count(limits)
        for counted in (of_client, of_network):
            if counted.is_over:
                raise refuse(counted)
        found = await self._accounts.find_for_sign_in(email, origin.address)
        # Who guesses from everywhere keeps others from guessing, and not the owner from where they have been before.
        if of_everywhere.is_over and not (found and found[1]):
            raise refuse(of_everywhere)
        account = None if found is None else found[0]
        await self._session.commit()
        fits = await self._hashing.verify(None if account is None else account.password_hash, password)
        if account is None or not fits or not account.is_active or _is_late(account):
            logger.warning("sign-in refused", extra={"account_id": str(account.id) if account else None})
            raise NotAuthenticated(REFUSED)
        await self._attempts.forget([client.key])
        await self._attempts.give_back([everywhere.key, network.key])
        return account

    def begin(self, account: Account, origin: Origin) -> Tokens:
        """Begin a session for somebody who has proved to be the owner; the caller commits."""
        refresh_token = RefreshToken.new()
        ends = datetime.now(UTC) + timedelta(days=self._settings.session_days)
        begun = self._sessions.begin(account, refresh_token, ends, origin)
        return self._issue(AccessClaims(account.id, begun.id, account.access_epoch), ends, refresh_token)

    async def refresh(self, text: str) -> Tokens:
        """Exchange a refresh token for the next pair; it is worth nothing afterwards.

        Raises:
            NotAuthenticated: the token is unknown, expired, or was exchanged before. In the last case somebody else has
                it, and nobody can tell who is the thief: the session ends, and that is committed before the refusal.
        """
        old = RefreshToken.parse(text)
        new = RefreshToken.new(old.family)
        refreshed = await self._sessions.rotate(old, new)
        if refreshed is None:
            ended = await self._sessions.end_family(old)
            await self._session.commit()
            if ended is not None:
                logger.warning("a used refresh token came back", extra={"session_id": str(ended)})
            raise NotAuthenticated("The refresh token is not valid.")
        claims = AccessClaims(refreshed.account_id, refreshed.session_id, refreshed.epoch)
        tokens = self._issue(claims, refreshed.expires_at, new)
        await self._session.commit()
        return tokens

    async def log_out(self, principal: AccountPrincipal) -> None:
        """End the session of the caller; its access tokens end with it."""
        if principal.session_id is not None:
            await self._sessions.end(principal.id, principal.session_id)
        await self._session.commit()

    async def log_out_everywhere(self, principal: AccountPrincipal) -> None:
        """End all sessions of the caller."""
        await self._accounts.end_access(principal.id)
        await self._sessions.end_all(principal.id)
        await self._session.commit()
        logger.info("signed out everywhere", extra={"account_id": str(principal.id)})

    async def list_sessions(self, principal: AccountPrincipal) -> list[AccountSession]:
        """Return the caller's sessions that are alive, newest first."""
        return list(await self._sessions.list_alive(principal.id, LISTED_SESSIONS))

    async def end_session(self, principal: AccountPrincipal, session_id: UUID) -> None:
        """End one of the caller's sessions.

        Raises:
            NotFound: the caller has no such session.
        """
        if not await self._sessions.end(principal.id, session_id):
            raise NotFound("There is no such session.")
        await self._session.commit()

    async def welcome_back(self, email: str, origin: Origin) -> None:
        """Forget the tries of whoever proved to read the mail of an address; the caller commits."""
        client, everywhere, _ = self._limits(email, origin)
        await self._attempts.forget([client.key, everywhere.key])

    def _issue(self, claims: AccessClaims, ends: datetime, refresh_token: RefreshToken) -> Tokens:
        access_token, seconds = self._tokens.encode(claims, ends)
        return Tokens(access_token, refresh_token.text, seconds)

    def _limits(self, email: str, origin: Origin) -> tuple[Limit, Limit, Limit]:
        settings = self._settings
        secret, name = settings.signing_key.get_secret_value(), email_key(email)
        return (
            Limit(attempt_key(secret, "client", name, origin.address), settings.attempts_per_client),
            Limit(attempt_key(secret, "account", name), settings.attempts_per_account),
            Limit(attempt_key(secret, "network", origin.address), settings.attempts_per_address),
        )


def _is_late(account: Account) -> bool:
    return is_over(account.initial_password_until, datetime.now(UTC))
