"""What the routes of sign-in at a provider work with."""

from ..service import Component
from .provider import Provider
from .settings import OidcSettings


class OidcEquipment(Component):
    """The part of the component that its routes ask for."""

    #: Known when the component is installed beside `OutgoingHttp`.
    provider: Provider

    def __init__(self, settings: OidcSettings) -> None:
        self.settings = settings

    @property
    def cookie(self) -> str:
        """The name of the cookie that binds an attempt to a browser."""
        return "oidc-attempt" if self.settings.is_local else "__Host-oidc-attempt"
