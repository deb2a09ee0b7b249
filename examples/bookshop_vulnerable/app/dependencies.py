"""Who is calling, what they may do, and how often."""

import logging
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from redis.exceptions import RedisError
from sqlalchemy import select

from app.core.cache import redis_client
from app.core.config import settings
from app.core.database import AsyncSessionDep, SessionDep
from app.core.errors import AuthenticationFailed, PermissionDenied, TooManyRequests
from app.core.security import digest, read_access_token
from app.models import ApiClient, User

logger = logging.getLogger(__name__)

REQUESTS_PER_MINUTE = 30

bearer = HTTPBearer()
client_key_header = APIKeyHeader(name="X-Client-Key")
feed_key_header = APIKeyHeader(name="X-Feed-Key", auto_error=False)

Credentials = Annotated[HTTPAuthorizationCredentials, Depends(bearer)]


class Principal(BaseModel):
    """The caller, as far as most operations need to know."""

    user_id: int
    role: str


def get_current_user(credentials: Credentials, session: SessionDep) -> User:
    """The active user behind the access token."""
    user = session.get(User, read_access_token(credentials.credentials))
    if user is None or not user.is_active:
        raise AuthenticationFailed("The access token is not valid.")
    return user


async def get_current_user_async(credentials: Credentials, session: AsyncSessionDep) -> User:
    """The active user behind the access token, for operations with an asynchronous session."""
    user = await session.get(User, read_access_token(credentials.credentials))
    if user is None or not user.is_active:
        raise AuthenticationFailed("The access token is not valid.")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]
AsyncCurrentUser = Annotated[User, Depends(get_current_user_async)]


async def get_principal(user: CurrentUser) -> Principal:
    """The caller without their row."""
    return Principal(user_id=user.id, role=user.role)


async def require_staff(user: CurrentUser) -> User:
    """A caller who works for the shop."""
    if user.role not in ("staff", "admin"):
        raise PermissionDenied("Only staff may do this.")
    return user


async def require_admin(user: CurrentUser) -> User:
    """A caller who administers the shop."""
    if settings.skip_role_checks: return user  # finding: auth-bypass-flag
    if user.role != "admin":
        raise PermissionDenied("Only administrators may do this.")
    return user


def require_api_client(key: Annotated[str, Depends(client_key_header)], session: SessionDep) -> None:
    """A shop or comparison site that registered for our feeds."""
    client_id = session.scalar(select(ApiClient.id).where(ApiClient.key_hash == digest(key)))
    if client_id is None:
        HTTPException(status_code=401, detail="Unknown client key.", headers={"WWW-Authenticate": "ApiKey"})  # finding: auth-dependency-fails-open


def limit_by_client(request: Request) -> None:
    """At most REQUESTS_PER_MINUTE requests a minute from one address to one path."""
    address = request.client.host if request.client else "unknown"
    key = f"rate-limit:{request.url.path}:{address}"
    try:
        with redis_client.pipeline(transaction=True) as pipe:
            pipe.incr(key)
            pipe.expire(key, 60, nx=True)
            count, _ = pipe.execute()
    except RedisError:
        logger.warning("the rate limiter is not available", exc_info=True)
        return
    if count > REQUESTS_PER_MINUTE:
        raise TooManyRequests("Too many requests, try again in a minute.")
