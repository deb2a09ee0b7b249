"""Signing in at somebody else's: OpenID Connect with state, PKCE and a nonce, for accounts of this service."""

from .component import OidcLogin
from .models import OidcIdentity
from .settings import OidcSettings

__all__ = ["OidcIdentity", "OidcLogin", "OidcSettings"]
