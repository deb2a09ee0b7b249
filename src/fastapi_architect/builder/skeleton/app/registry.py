"""What this service is made of. The order is the order of everything: opening, middleware from the outside in."""

from app.components.service import Component
# [with tenancy]
from app.components.tenancy import Tenancy
# [end]


def components() -> list[Component]:
    """Return the components with their settings; one that lacks a setting says which."""
    # [with tenancy]
    return [
        # What members of an organisation may do by their role; an owner may do all of it.
        Tenancy(
            {
                "admin": ["notes:read", "notes:write"],
                "member": ["notes:read", "notes:write"],
                "viewer": ["notes:read"],
            }
        ),
    ]
    # [without tenancy]
    return []
    # [end]
