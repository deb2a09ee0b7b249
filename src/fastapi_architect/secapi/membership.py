"""The caller as a member of the organisation for which they act."""

from dataclasses import dataclass
from uuid import UUID

from fastapi_architect.components.service import Principal

#: The setting that tenancy's policies read: whoever has no request binds it before the first query.
TENANT = "app.tenant_id"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody, and the organisation that this request is bound to: unlike a principal, never without one."""

    principal: Principal
    tenant_id: UUID

    @classmethod
    def of(cls, principal: Principal) -> "Member":
        """Return the member that tenancy has found.

        Raises:
            LookupError: the operation did not ask for a member of an organisation.
        """
        if principal.tenant_id is None:
            raise LookupError("depend on `require_in_tenant` before the service of the organisation is made")
        return cls(principal, principal.tenant_id)

    def may(self, permission: str) -> bool:
        """Tell whether the role in this organisation, and the scopes of the credentials, allow it."""
        return self.principal.may(permission)
