"""What this service is made of. The order is the order of everything: opening, middleware from the outside in."""

from app.components.service import Component


def components() -> list[Component]:
    """Return the components with their settings; one that lacks a setting says which."""
    return []
