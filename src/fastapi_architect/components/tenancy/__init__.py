"""Organisations that share a service and see nothing of each other: by the queries, and once more by PostgreSQL itself."""

from .component import Tenancy
from .dependencies import TenantMember, as_member, current_member, require_in_tenant, tenant_of
from .listing import every_tenant
from .models import Membership, Organisation, TenantOwned
from .row_level_security import protect_by_tenant, unprotect_by_tenant

__all__ = [
    "Membership",
    "Organisation",
    "Tenancy",
    "TenantMember",
    "TenantOwned",
    "as_member",
    "current_member",
    "every_tenant",
    "protect_by_tenant",
    "require_in_tenant",
    "tenant_of",
    "unprotect_by_tenant",
]
