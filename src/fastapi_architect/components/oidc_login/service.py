"""Leaving for the provider, and coming back as somebody."""

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from ..accounts import Account, SignIn, Tokens
from ..accounts.session_repository import Origin
from ..problem_details.errors import Conflict, NotAuthenticated
from .models import OidcAttempt
from .provider import Claims, Provider
from .repository import OidcRepository
from .settings import OidcSettings

logger = logging.getLogger(__name__)

_OVER = "This attempt to sign in is over. Begin again."
_NO_ACCESS = "This account has no access."


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and what it has to show when it comes back."""

    url: str
    browser_secret: str


class OidcService:
    """Signs in whoever the provider vouches for."""

    def __init__(
        self,
        session: AsyncSession,
        settings: OidcSettings,
        provider: Provider,
        sign_in: SignIn,
        new_account_roles: list[str],
    ) -> None:
        self._session = session
        self._settings = settings
        self._provider = provider
        self._sign_in = sign_in
        self._new_account_roles = new_account_roles
        self._identities = OidcRepository(session)

    async def leave(self) -> Departure:
        """Begin an attempt."""
        state, browser_secret, nonce, code_verifier = (secrets.token_urlsafe(32) for _ in range(4))
        url = await self._provider.authorization_url(state, nonce, code_verifier)
        self._identities.add_attempt(
            OidcAttempt(
                state_hash=_hash(state),
                browser_hash=_hash(browser_secret),
                nonce=nonce,
                code_verifier=code_verifier,
                expires_at=datetime.now(UTC) + timedelta(minutes=self._settings.attempt_minutes),
            )
        )
        await self._session.commit()
        return Departure(url, browser_secret)

    async def come_back(self, state: str, code: str, browser_secret: str, origin: Origin) -> Tokens:
        """Finish an attempt, and sign in.

        Raises:
            NotAuthenticated: the attempt is over or another browser's, the provider's answer is not valid, or the account has
                no access.
            Conflict: the address has an account, into which its owner has to sign in.
            HostUnreachable: the provider does not answer.
        """
        attempt = await self._identities.use_attempt(_hash(state), _hash(browser_secret))
        # Used up, whatever becomes of it; and no transaction is open while the provider is asked.
        await self._session.commit()
        if attempt is None:
            raise NotAuthenticated(_OVER)
        claims = await self._provider.exchange(code, attempt.code_verifier, attempt.nonce)
        account = await self._account_of(claims)
        if not account.is_active:
            raise NotAuthenticated(_NO_ACCESS)
        tokens = self._sign_in.begin(account, origin)
        await self._session.commit()
        logger.info("signed in at a provider", extra={"account_id": str(account.id)})
        return tokens

    async def _account_of(self, claims: Claims) -> Account:
        issuer = self._settings.issuer
        known = await self._identities.find_account(issuer, claims.sub)
        if known is not None:
            return known
        # An address that the provider has not verified may be anybody's.
        if claims.email is None or not claims.email_verified:
            raise NotAuthenticated("The provider has not verified your e-mail address.")
        account = await self._identities.find_account_by_email(claims.email)
        if account is not None and not self._settings.link_by_email:
            raise Conflict("This e-mail address has an account already. Sign in to it with its password.")
        if account is None:
            account = await self._identities.open_account(
                claims.email, claims.name[:100], self._new_account_roles
            )
        if account is None:
            raise Conflict("This e-mail address has got an account just now. Sign in again.")
        await self._identities.link(account.id, issuer, claims.sub)
        return account


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
