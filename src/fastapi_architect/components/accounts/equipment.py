"""What the routes of accounts work with."""

from collections.abc import Sequence

from ..service import Component
from .passwords import PasswordHashing, PasswordPolicy
from .service import Roles
from .settings import AccountSettings
from .tokens import AccessTokens


class AccountEquipment(Component):
    """The part of the component that its routes ask for."""

    #: Known when the component is installed beside `Access`.
    roles: Roles
    #: The path before `/me`.
    prefix: str

    def __init__(
        self,
        settings: AccountSettings,
        hashing: PasswordHashing,
        policy: PasswordPolicy,
        new_account_roles: Sequence[str],
    ) -> None:
        self.settings = settings
        self.hashing = hashing
        self.policy = policy
        self.new_account_roles = tuple(new_account_roles)
        self.tokens = AccessTokens(settings)

    @property
    def password_path(self) -> str:
        """Where people change their password."""
        return f"{self.prefix}/me/password"
