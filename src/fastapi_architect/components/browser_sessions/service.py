"""Signing in and out with a browser."""

import secrets

from ..accounts import AccountPrincipal, SignIn
from ..accounts.session_repository import Origin
from ..accounts.tokens import AccessTokens
from ..problem_details.errors import NotAuthenticated
from .store import BrowserSession, BrowserSessionStore


class BrowserSignIn:
    """Opens and ends browser sessions.

    Each stands on a session of the account, so that whatever ends that one ends this one: signing out everywhere, a new
    password, a deactivated account.
    """

    def __init__(self, sign_in: SignIn, tokens: AccessTokens, store: BrowserSessionStore) -> None:
        self._sign_in = sign_in
        self._tokens = tokens
        self._store = store

    async def open(
        self, email: str, password: str, origin: Origin, previous: str | None
    ) -> tuple[BrowserSession, str]:
        """Begin a session, and return it with the secret of its cookie, which is always a new one.

        Args:
            email: of the account.
            password: of the account.
            origin: where the request came from.
            previous: the secret that the browser had, whoever gave it; it opens nothing any more.

        Raises:
            NotAuthenticated: the address or the password is wrong.
            TooManyRequests: they were tried too often.
        """
        signed_in = await self._sign_in.log_in(email, password, origin)
        claims = self._tokens.decode(signed_in.access_token)
        session = BrowserSession(
            account_id=claims.account_id,
            session_id=claims.session_id,
            epoch=claims.epoch,
            csrf_token=secrets.token_urlsafe(32),
        )
        secret = await self._store.keep(session)
        if previous is not None:
            await self._store.forget(previous)
        return session, secret

    async def find(self, secret: str | None) -> BrowserSession:
        """Return the session that the cookie opens.

        Raises:
            NotAuthenticated: there is none.
        """
        session = None if secret is None else await self._store.find(secret)
        if session is None:
            raise NotAuthenticated
        return session

    async def end(self, principal: AccountPrincipal, secret: str | None) -> None:
        """End the caller's session, here and in the account."""
        if secret is not None:
            await self._store.forget(secret)
        await self._sign_in.log_out(principal)
