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

    def __init__(self, roles: Mapping[str, Iterable[str]], restricting_methods: Iterable[str]) -> None:
        self.roles = {
            name: frozenset(ROLES.get(name, ("organisation:read",))) | frozenset(roles.get(name, ()))
            for name in (*ROLES, *roles)
        }
        self.roles[OWNER] = frozenset().union(*self.roles.values())
        self.restricting_methods = frozenset(restricting_methods)

    def permissions_of(self, principal: Principal, role: str) -> frozenset[str]:
        """Return what somebody with this role may do in the organisation, with the credentials they came with.

        What they may do elsewhere does not count: an administrator of the service is nobody in an organisation.
        """
        permissions = self.roles.get(role, frozenset())
        if principal.method in self.restricting_methods:
            return permissions & principal.permissions
        return permissions
