"""What each role may do in its organisation: one table, from which the routes and their tests both read.

A role may do what the role before it may. `owner` is known to tenancy itself and may do all of it.
"""

from collections.abc import Mapping
from types import MappingProxyType

VIEWER = frozenset({"projects:read", "scans:read", "findings:read", "reports:read", "api_keys:own"})
DEVELOPER = VIEWER | {"scans:submit", "findings:triage", "findings:comment", "reports:create"}
MAINTAINER = DEVELOPER | {"projects:write", "findings:accept", "scans:manage", "webhooks:manage"}
ADMIN = MAINTAINER | {"projects:delete", "audit:read", "api_keys:manage", "work:manage"}

#: Tenancy's `member` is left out: it would be another word for one of these.
ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {"viewer": VIEWER, "developer": DEVELOPER, "maintainer": MAINTAINER, "admin": ADMIN}
)
EVERY_PERMISSION = frozenset().union(*ROLES.values())

#: Of operators: what is nobody's in particular. No role in an organisation gives it.
AUDIT_OF_SERVICE = "service:audit"
OF_OPERATORS = frozenset({AUDIT_OF_SERVICE})
#: What every account may do, as far as its role in an organisation and the scopes of its keys allow it.
OF_ACCOUNTS = EVERY_PERMISSION - OF_OPERATORS | {"organisation:read", "organisation:manage"}
