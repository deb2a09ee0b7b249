"""Who is asking."""

from dataclasses import dataclass
from uuid import UUID

from app.users.models import Role


@dataclass(frozen=True)
class Principal:
    """The caller of an operation, as proved by an access token and the account behind it."""

    user_id: UUID
    role: Role

    @property
    def is_admin(self) -> bool:
        """Whether the caller runs the shop."""
        return self.role is Role.ADMIN
