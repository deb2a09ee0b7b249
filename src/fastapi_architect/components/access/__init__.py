"""Who may call what: denied by default, open where it says so."""

from ..service import is_public, public
from .component import (
    Access,
    Authenticator,
    PermissionColumn,
    PermissionSource,
    RouteWithoutGuard,
    authenticators_of,
    permission_source_of,
)
from .dependencies import (
    CurrentPrincipal,
    OptionalPrincipal,
    current_principal,
    deny_by_default,
    optional_principal,
    require,
)
from .guards import Guard, guard
from .policies import Policy, allowed
from .routes import RouteAccess, routes_of

__all__ = [
    "Access",
    "Authenticator",
    "CurrentPrincipal",
    "Guard",
    "OptionalPrincipal",
    "PermissionColumn",
    "PermissionSource",
    "Policy",
    "RouteAccess",
    "RouteWithoutGuard",
    "allowed",
    "authenticators_of",
    "current_principal",
    "deny_by_default",
    "guard",
    "is_public",
    "optional_principal",
    "permission_source_of",
    "public",
    "require",
    "routes_of",
]
