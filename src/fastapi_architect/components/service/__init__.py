"""How a service is put together from components."""

from .acts import Act, Acts, Witness, acts_of
from .assembly import component_in, components_of, install, installed
from .component import Component
from .draining import begin_draining, is_draining
from .openapi import amend_openapi, operations_of
from .people import Directory, Person, people_of
from .principal import Principal, principal_in_context, principal_of, remember_principal
from .public import is_public, public
from .request_id import bind_request_id, current_request_id
from .request_limit import RequestLimit
from .routes import RouteTemplates, local_path
from .serving import ServeSettings, serve
from .settings import CommaSeparated, ComponentSettings, Environment, GeneratedSecret

__all__ = [
    "Act",
    "Acts",
    "CommaSeparated",
    "Component",
    "ComponentSettings",
    "Directory",
    "Environment",
    "GeneratedSecret",
    "Person",
    "Principal",
    "RequestLimit",
    "RouteTemplates",
    "ServeSettings",
    "Witness",
    "acts_of",
    "amend_openapi",
    "begin_draining",
    "bind_request_id",
    "component_in",
    "components_of",
    "current_request_id",
    "install",
    "installed",
    "is_draining",
    "is_public",
    "local_path",
    "operations_of",
    "people_of",
    "principal_in_context",
    "principal_of",
    "public",
    "remember_principal",
    "serve",
]
