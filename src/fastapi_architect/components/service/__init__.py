"""How a service is put together from components."""

from .assembly import components_of, install, installed
from .component import Component
from .principal import Principal, principal_of, remember_principal
from .settings import ComponentSettings, Environment, GeneratedSecret

__all__ = [
    "Component",
    "ComponentSettings",
    "Environment",
    "GeneratedSecret",
    "Principal",
    "components_of",
    "install",
    "installed",
    "principal_of",
    "remember_principal",
]
