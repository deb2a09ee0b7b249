"""Who is asking, and may they?"""

import logging
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.auth.breached_passwords import BreachedPasswords
from app.auth.principal import Principal
from app.auth.repository import OneTimeTokenRepository, RefreshTokenRepository
from app.auth.service import AuthService
from app.auth.tokens import decode_access_token
from app.dependencies import BreachedPasswordsClientDep, RateLimiterDep, SessionDep, SettingsDep
from app.errors import Forbidden, InvalidCredentials
from app.outbox.repository import OutboxRepository
from app.users.dependencies import UserRepositoryDep
from app.users.models import Role

logger = logging.getLogger(__name__)

bearer = HTTPBearer(description="The access token of a login.")


async def get_current_user(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)],
    users: UserRepositoryDep,
    settings: SettingsDep,
) -> Principal:
    """Return the caller.

    The account is read each time: a locked account or a changed password ends access at once.

    Raises:
        InvalidCredentials: the token or the account behind it is not valid.
    """
    claims = decode_access_token(credentials.credentials, settings.access_token_key.get_secret_value())
    user = await users.find_active(claims.user_id)
    if user is None or user.access_epoch != claims.epoch:
        logger.warning("access refused", extra={"user_id": claims.user_id})
        raise InvalidCredentials("The access token is not valid.")
    return Principal(user_id=user.id, role=Role(user.role))


CurrentUser = Annotated[Principal, Depends(get_current_user)]


async def require_admin(principal: CurrentUser) -> Principal:
    """Return the caller if they run the shop.

    Raises:
        Forbidden: they do not.
    """
    if not principal.is_admin:
        logger.warning("admin access refused", extra={"user_id": principal.user_id})
        raise Forbidden("Only admins may do this.")
    return principal


AdminUser = Annotated[Principal, Depends(require_admin)]


async def get_auth_service(
    session: SessionDep,
    users: UserRepositoryDep,
    limiter: RateLimiterDep,
    client: BreachedPasswordsClientDep,
    settings: SettingsDep,
) -> AuthService:
    """Return the service on the session of this request."""
    return AuthService(
        session=session,
        users=users,
        refresh_tokens=RefreshTokenRepository(session),
        one_time_tokens=OneTimeTokenRepository(session),
        outbox=OutboxRepository(session),
        limiter=limiter,
        breached_passwords=BreachedPasswords(client),
        settings=settings,
    )


AuthServiceDep = Annotated[AuthService, Depends(get_auth_service)]
