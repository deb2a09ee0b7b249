"""How people get in, stay in, and get back in."""

import logging
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.breached_passwords import BreachedPasswords
from app.auth.models import Purpose
from app.auth.passwords import hash_password, needs_rehash, verify_password
from app.auth.principal import Principal
from app.auth.repository import OneTimeTokenRepository, RefreshTokenRepository
from app.auth.schemas import Login, PasswordReset, Registration, TokenPair
from app.auth.tokens import (
    ACCESS_TOKEN_LIFETIME,
    SESSION_LIFETIME,
    encode_access_token,
    hash_opaque_token,
    new_opaque_token,
)
from app.errors import InvalidCredentials, InvalidInput
from app.outbox.models import EventKind
from app.outbox.repository import OutboxRepository
from app.rate_limits import Allowance, RateLimiter
from app.settings import Settings
from app.users.models import User
from app.users.repository import UserRepository

logger = logging.getLogger(__name__)

LOGINS_OF_ONE_ADDRESS = Allowance("logins", attempts=10, seconds=900)
MAILS_TO_ONE_ADDRESS = Allowance("mails", attempts=3, seconds=3600)


class AuthService:
    """Registers, verifies, logs in and out, refreshes, resets."""

    def __init__(
        self,
        *,
        session: AsyncSession,
        users: UserRepository,
        refresh_tokens: RefreshTokenRepository,
        one_time_tokens: OneTimeTokenRepository,
        outbox: OutboxRepository,
        limiter: RateLimiter,
        breached_passwords: BreachedPasswords,
        settings: Settings,
    ) -> None:
        self._session = session
        self._users = users
        self._refresh_tokens = refresh_tokens
        self._one_time_tokens = one_time_tokens
        self._outbox = outbox
        self._limiter = limiter
        self._breached_passwords = breached_passwords
        self._settings = settings

    async def register(self, registration: Registration) -> None:
        """Open an account that waits for its e-mail address to be verified.

        An address that has an account already gets an e-mail saying so; the caller sees no difference.

        Raises:
            InvalidInput: the password is known from a breach.
            TooManyRequests: this address was sent enough e-mails.
        """
        await self._limiter.spend(MAILS_TO_ONE_ADDRESS, registration.email)
        password = registration.password.get_secret_value()
        await self._refuse_breached(password)
        password_hash = await hash_password(password)
        user_id = await self._users.add_unless_known(
            registration.email, registration.display_name, password_hash
        )
        if user_id is None:
            self._outbox.add(EventKind.REGISTRATION_REPEATED, {"email": registration.email})
        else:
            self._outbox.add(EventKind.REGISTERED, {"user_id": str(user_id)})
        await self._session.commit()

    async def verify_email(self, token: str) -> None:
        """Believe that the address of an account is its owner's.

        Raises:
            InvalidInput: the token is unknown, used or expired.
        """
        user_id = await self._one_time_tokens.spend(Purpose.VERIFY_EMAIL, hash_opaque_token(token))
        user = None if user_id is None else await self._users.find(user_id)
        if user is None:
            raise InvalidInput("The link is not valid any more.")
        user.email_verified_at = datetime.now(UTC)
        await self._session.commit()

    async def log_in(self, login: Login) -> TokenPair:
        """Exchange an e-mail address and a password for tokens.

        Raises:
            InvalidCredentials: always the same, and after the same time, whatever was wrong.
            TooManyRequests: this address was tried too often.
        """
        await self._limiter.spend(LOGINS_OF_ONE_ADDRESS, login.email)
        password = login.password.get_secret_value()
        user = await self._users.find_by_email(login.email)
        fits = await verify_password(user.password_hash if user else None, password)
        if user is None or not fits or not user.is_active or user.email_verified_at is None:
            logger.warning("login refused", extra={"user_id": user.id if user else None})
            raise InvalidCredentials("The e-mail address or the password is wrong.")
        if needs_rehash(user.password_hash):
            user.password_hash = await hash_password(password)
        tokens = self._issue(user, uuid4(), datetime.now(UTC) + SESSION_LIFETIME)
        await self._session.commit()
        return tokens

    async def refresh(self, refresh_token: str) -> TokenPair:
        """Exchange a refresh token for the next pair; it is worth nothing afterwards.

        Raises:
            InvalidCredentials: the token is unknown, expired, or was used before. In the last case somebody
                else has it, and nobody can tell who is the thief: the whole session ends.
        """
        token_hash = hash_opaque_token(refresh_token)
        spent = await self._refresh_tokens.spend(token_hash)
        if spent is None:
            await self._end_session_of_reused(token_hash)
            raise InvalidCredentials("The refresh token is not valid.")
        user = await self._users.find_active(spent.user_id)
        if user is None:
            logger.warning("refresh refused", extra={"user_id": spent.user_id})
            raise InvalidCredentials("The refresh token is not valid.")
        # The successor inherits the end of the session: rotating must not prolong it for ever.
        tokens = self._issue(user, spent.family_id, spent.expires_at)
        await self._session.commit()
        return tokens

    async def log_out(self, principal: Principal, refresh_token: str) -> None:
        """End the session that the caller's refresh token belongs to."""
        await self._refresh_tokens.revoke_own(principal.user_id, hash_opaque_token(refresh_token))
        await self._session.commit()

    async def request_password_reset(self, email: str) -> None:
        """Have a link sent, if there is an account; the worker looks, so that the answer cannot tell."""
        await self._limiter.spend(MAILS_TO_ONE_ADDRESS, email)
        self._outbox.add(EventKind.PASSWORD_RESET_REQUESTED, {"email": email})
        await self._session.commit()

    async def reset_password(self, reset: PasswordReset) -> None:
        """Set a new password with the token from the e-mail, and end all sessions of the account.

        Raises:
            InvalidInput: the token is unknown, used or expired, or the password is known from a breach.
        """
        password = reset.new_password.get_secret_value()
        await self._refuse_breached(password)
        password_hash = await hash_password(password)
        token_hash = hash_opaque_token(reset.token.get_secret_value())
        user_id = await self._one_time_tokens.spend(Purpose.RESET_PASSWORD, token_hash)
        user = None if user_id is None else await self._users.find(user_id)
        if user is None:
            raise InvalidInput("The link is not valid any more.")
        user.password_hash = password_hash
        # Who reads the mailbox owns the address, also when somebody else had registered it.
        user.email_verified_at = user.email_verified_at or datetime.now(UTC)
        await self._session.flush()
        await self._one_time_tokens.spend_others(Purpose.RESET_PASSWORD, user.id)
        await self._users.end_access(user.id)
        await self._refresh_tokens.revoke_all(user.id)
        await self._session.commit()

    def _issue(self, user: User, family_id: UUID, expires_at: datetime) -> TokenPair:
        refresh_token = new_opaque_token()
        self._refresh_tokens.add(user.id, family_id, hash_opaque_token(refresh_token), expires_at)
        return TokenPair(
            access_token=encode_access_token(user, self._settings.access_token_key.get_secret_value()),
            refresh_token=refresh_token,
            expires_in=int(ACCESS_TOKEN_LIFETIME.total_seconds()),
        )

    async def _end_session_of_reused(self, token_hash: str) -> None:
        family_id = await self._refresh_tokens.find_family(token_hash)
        if family_id is not None:
            await self._refresh_tokens.revoke_family(family_id)
            await self._session.commit()
            logger.warning("refresh of a spent session refused", extra={"family_id": family_id})

    async def _refuse_breached(self, password: str) -> None:
        if await self._breached_passwords.contains(password):
            raise InvalidInput("This password is known from a breach. Choose another one.")
