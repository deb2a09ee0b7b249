"""Signing in at a provider as a component."""

from fastapi import FastAPI

from ..outgoing_http import OutgoingHttp
from ..service import installed
from .equipment import OidcEquipment
from .provider import Provider
from .router import router
from .settings import OidcSettings


class OidcLogin(OidcEquipment):
    """Lets people sign in at one OpenID provider, into accounts of this service.

    Args:
        settings: OIDC_*.
        prefix: the path before `/auth/oidc`.
    """

    def __init__(self, settings: OidcSettings, *, prefix: str = "/api/v1") -> None:
        super().__init__(settings)
        self.prefix = prefix

    def install(self, app: FastAPI) -> None:
        """Add the routes."""
        self.provider = Provider(self.settings, installed(app, OutgoingHttp))
        app.include_router(router, prefix=self.prefix)
