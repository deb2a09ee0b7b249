"""Who may call what: denied by default, open where it says so."""

from .component import Access, Authenticator
from .dependencies import CurrentPrincipal, current_principal, deny_by_default, require
from .public import is_public, public

__all__ = [
    "Access",
    "Authenticator",
    "CurrentPrincipal",
    "current_principal",
    "deny_by_default",
    "is_public",
    "public",
    "require",
]
