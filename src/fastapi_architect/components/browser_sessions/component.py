"""Browser sessions as a component: it tells callers by their cookie, and has the routes."""

from typing import Any

from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession

from ..access import Access
from ..accounts import AccountPrincipal
from ..accounts.equipment import AccountEquipment
from ..accounts.initial_passwords import refuse_initial_password
from ..accounts.repository import AccountRepository
from ..problem_details import NotAuthenticated
from ..service import Principal, installed
from .cross_site import SAFE_METHODS, refuse_foreign_page, require_csrf_token
from .equipment import BrowserSessionEquipment
from .router import router
from .settings import BrowserSessionSettings

#: `Principal.method` of whoever came with a cookie.
METHOD = "session"


class BrowserSessions(BrowserSessionEquipment):
    """Signs in with a cookie, for pages; programs use access tokens or keys.

    Args:
        settings: BROWSER_SESSION_*.
        prefix: the path before `/browser-session`.
    """

    def __init__(self, settings: BrowserSessionSettings, *, prefix: str = "/api/v1") -> None:
        super().__init__(settings)
        self.prefix = prefix
        self.security_scheme: tuple[str, dict[str, Any]] = (
            "browser_session",
            {
                "type": "apiKey",
                "in": "cookie",
                "name": settings.cookie,
                "description": "The cookie of `POST /browser-session`; changes need `X-CSRF-Token` as well.",
            },
        )

    def install(self, app: FastAPI) -> None:
        """Add the routes."""
        app.include_router(router, prefix=self.prefix)

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return whose cookie this is; a change has to prove that one of our pages sent it.

        Raises:
            NotAuthenticated: the session has ended.
            Forbidden: another site sent the change.
            PasswordMustBeChanged: they signed in with a password that was made for them, and have to choose another first.
            Unavailable: Redis does not answer, and nobody can tell whose session it is.
        """
        secret = self.secret(connection)
        # Whoever shows credentials of another kind means those. A websocket is opened with a ticket: a cookie would
        # travel with the handshake of any page.
        if secret is None or "authorization" in connection.headers or connection.scope["type"] != "http":
            return None
        found = await self.store(connection).find(secret)
        if found is None:
            raise NotAuthenticated("The session has ended.")
        if connection.scope["method"] not in SAFE_METHODS:
            refuse_foreign_page(connection, self.settings.origins)
            require_csrf_token(connection, found.csrf_token)
        access = await AccountRepository(session).find_access(found.account_id, found.session_id, found.epoch)
        if access is None:
            raise NotAuthenticated("The session has ended.")
        if access.must_change_password:
            refuse_initial_password(connection, installed(connection.app, AccountEquipment).password_path)
        permissions = installed(connection.app, Access).permissions_of_roles(access.roles)
        return AccountPrincipal(
            id=found.account_id, permissions=permissions, method=METHOD, session_id=found.session_id
        )
