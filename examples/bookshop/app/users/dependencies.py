"""How an operation asks for the account service."""

from typing import Annotated

from fastapi import Depends

from app.auth.breached_passwords import BreachedPasswords
from app.auth.repository import RefreshTokenRepository
from app.dependencies import BreachedPasswordsClientDep, SessionDep
from app.users.repository import UserRepository
from app.users.service import UserService


async def get_user_service(session: SessionDep, client: BreachedPasswordsClientDep) -> UserService:
    """Return the service on the session of this request."""
    return UserService(
        session, UserRepository(session), RefreshTokenRepository(session), BreachedPasswords(client)
    )


UserServiceDep = Annotated[UserService, Depends(get_user_service)]
