"""How an operation asks for the account service."""

from typing import Annotated

from fastapi import Depends

from app.auth.breached_passwords import BreachedPasswords
from app.auth.repository import RefreshTokenRepository
from app.dependencies import BreachedPasswordsClientDep, SessionDep
from app.users.repository import UserRepository
from app.users.service import UserService


async def get_user_repository(session: SessionDep) -> UserRepository:
    """Return the queries on the session of this request."""
    return UserRepository(session)


UserRepositoryDep = Annotated[UserRepository, Depends(get_user_repository)]


async def get_user_service(
    session: SessionDep, users: UserRepositoryDep, client: BreachedPasswordsClientDep
) -> UserService:
    """Return the service on the session of this request."""
    return UserService(session, users, RefreshTokenRepository(session), BreachedPasswords(client))


UserServiceDep = Annotated[UserService, Depends(get_user_service)]
