"""What roles may do in their organisation."""

from collections.abc import Iterable, Mapping

from ..service import Component, Principal
from .repository import OWNER

#: What every tenant's roles may do beyond what the service gives them.
ROLES: Mapping[str, Iterable[str]] = {
    "owner": ("organisation:read", "organisation:manage"),
    "admin": ("organisation:read", "organisation:manage"),
    "member": ("organisation:read",),
    "viewer": ("organisation:read",),
}


class HasTenantRoles(Component):
    """The part of `Tenancy` that its own routes and dependencies ask."""

    def __init__(
        self,
        roles: Mapping[str, Iterable[str]],
        restricting_methods: Iterable[str],
        without: Iterable[str] = (),
    ) -> None:
        left_out = frozenset(without)
        if left_out - {"member", "viewer"} or left_out & roles.keys():
            raise ValueError(
                "only `member` and `viewer` can be left out, and only if nothing is said of them"
            )
        self.roles = {
            name: frozenset(ROLES.get(name, ("organisation:read",))) | frozenset(roles.get(name, ()))
            for name in (*ROLES, *roles)
            if name not in left_out
        }
        self.roles[OWNER] = frozenset().union(*self.roles.values())
        self.restricting_methods = frozenset(restricting_methods)

    # Not `permissions_of`, which is what a component has that knows what somebody may do at present.
    def permissions_in_role(self, principal: Principal, role: str) -> frozenset[str]:
        """Return what somebody with this role may do in the organisation, with the credentials they came with.

        What they may do elsewhere does not count: an administrator of the service is nobody in an organisation.
        """
        permissions = self.roles.get(role, frozenset())
        return permissions & principal.permissions if self.restricts(principal) else permissions

    def restricts(self, principal: Principal) -> bool:
        """Tell whether somebody came with credentials that have permissions of their own, such as a key."""
        return principal.method in self.restricting_methods
