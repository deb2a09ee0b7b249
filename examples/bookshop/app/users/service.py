"""What people may do with accounts."""

import logging
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.breached_passwords import BreachedPasswords
from app.auth.passwords import hash_password, verify_password
from app.auth.principal import Principal
from app.auth.repository import RefreshTokenRepository
from app.errors import Conflict, InvalidCredentials, InvalidInput, NotFound
from app.pagination import Slice, TimeCursor, cut
from app.users.models import User
from app.users.repository import UserRepository
from app.users.schemas import PasswordChange, ProfileChange, UserRecordChange

logger = logging.getLogger(__name__)


def place(user: User) -> TimeCursor:
    """Return where an account stands in the list."""
    return TimeCursor(id=user.id, created_at=user.created_at)


class UserService:
    """Reads and changes accounts."""

    def __init__(
        self,
        session: AsyncSession,
        users: UserRepository,
        refresh_tokens: RefreshTokenRepository,
        breached_passwords: BreachedPasswords,
    ) -> None:
        self._session = session
        self._users = users
        self._refresh_tokens = refresh_tokens
        self._breached_passwords = breached_passwords

    async def read_profile(self, principal: Principal) -> User:
        """Return the caller's own account."""
        user = await self._users.find(principal.user_id)
        if user is None:
            raise NotFound("This account is gone.")
        return user

    async def change_profile(self, principal: Principal, change: ProfileChange) -> User:
        """Change the fields that the caller sent."""
        user = await self.read_profile(principal)
        sent = change.model_dump(exclude_unset=True)
        user.display_name = sent.get("display_name", user.display_name)
        await self._session.commit()
        return user

    async def change_password(self, principal: Principal, change: PasswordChange) -> None:
        """Replace the caller's password, and end every session of the account.

        Raises:
            InvalidCredentials: the present password is wrong.
            InvalidInput: the new password is known from a breach.
        """
        # Ends the transaction in which the caller was read: no connection is held while the network answers.
        await self._session.commit()
        if await self._breached_passwords.contains(change.new_password.get_secret_value()):
            raise InvalidInput("This password is known from a breach. Choose another one.")
        user = await self.read_profile(principal)
        if not await verify_password(user.password_hash, change.current_password.get_secret_value()):
            logger.warning("password change refused", extra={"user_id": user.id})
            raise InvalidCredentials("The current password is wrong.")
        user.password_hash = await hash_password(change.new_password.get_secret_value())
        await self._session.flush()
        await self._users.end_access(user.id)
        await self._refresh_tokens.revoke_all(user.id)
        await self._session.commit()

    async def list_users(self, cursor: TimeCursor | None, limit: int) -> Slice[User]:
        """Return a page of all accounts, newest first."""
        return cut(await self._users.list_after(cursor, limit + 1), limit, place)

    async def change_user(self, admin: Principal, user_id: UUID, change: UserRecordChange) -> User:
        """Change the role or the lock of somebody else's account.

        Raises:
            NotFound: there is no such account.
            Conflict: it is the admin's own account, or it has changed since they looked.
        """
        if user_id == admin.user_id:
            raise Conflict("Nobody changes their own role or locks themselves out.")
        user = await self._users.find(user_id)
        if user is None:
            raise NotFound("There is no such account.")
        if user.version != change.version:
            raise Conflict("The account has changed. Read it again.")
        sent = change.model_dump(exclude_unset=True)
        user.role = sent.get("role", user.role)
        user.is_active = sent.get("is_active", user.is_active)
        await self._session.flush()
        await self._users.end_access(user.id)
        await self._refresh_tokens.revoke_all(user.id)
        await self._session.commit()
        logger.info("account changed", extra={"admin_id": admin.user_id, "user_id": user_id})
        return user
