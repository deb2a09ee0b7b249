"""What the API's document says about access: who may call which operation, and how they prove who they are."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..problem_details import Forbidden, NotAuthenticated, ServiceError, problems
from .routes import RouteAccess


def describe_access(
    document: dict[str, Any], routes: Iterable[RouteAccess], schemes: Mapping[str, dict[str, Any]]
) -> None:
    """Write the access of each operation into an OpenAPI document.

    Args:
        document: as FastAPI made it; it is changed in place.
        routes: all routes of the application.
        schemes: the security schemes of the authenticators, any one of which is enough.
    """
    if schemes:
        document.setdefault("components", {}).setdefault("securitySchemes", {}).update(schemes)
    for route in routes:
        for method in route.methods:
            operation = document["paths"].get(route.path, {}).get(method.lower())
            if operation is not None:
                _describe(operation, route, schemes)


def _describe(operation: dict[str, Any], route: RouteAccess, schemes: Mapping[str, dict[str, Any]]) -> None:
    # Since OpenAPI 3.1 a scheme of any type may list the roles, here permissions, that the operation needs.
    known = [{name: sorted(route.permissions)} for name in schemes]
    if route.authenticated:
        # Without authenticators of ours there are guards of the user's own, which FastAPI described.
        if known:
            operation["security"] = known
        _document_refusal(operation, NotAuthenticated)
        if route.permissions:
            _document_refusal(operation, Forbidden)
    elif route.looks:
        operation["security"] = [{}, *known]
    elif route.public:
        operation["security"] = []


def _document_refusal(operation: dict[str, Any], refusal: type[ServiceError]) -> None:
    for status, response in problems(refusal).items():
        operation["responses"].setdefault(str(status), response)
