"""The authenticators of a service, what roles may do, and the check that no route escaped the guard."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from ..service import Component, Principal, amend_openapi, components_of
from .openapi import describe_access
from .routes import RouteAccess, routes_of


@runtime_checkable
class Authenticator(Protocol):
    """A component that can tell who is asking."""

    #: Name and definition of the security scheme, as OpenAPI has it.
    security_scheme: tuple[str, dict[str, Any]]

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return who is asking; None if the request carries no credentials of this kind.

        Raises:
            NotAuthenticated: it carries some, and they are not valid.
        """


@runtime_checkable
class PermissionSource(Protocol):
    """A component that knows what somebody may do at present, without their credentials."""

    async def permissions_of(self, principal_id: UUID, session: AsyncSession) -> frozenset[str] | None:
        """Return the permissions of this principal; None if they have no access (any more)."""


@runtime_checkable
class PermissionColumn(Protocol):
    """A source of permissions that other queries can ask along with their own: one round trip less a request."""

    def permission_column(self, principal_id: ColumnElement[UUID]) -> ColumnElement[Any]:
        """Return the column that says what this principal may do at present."""

    def permissions_from(self, value: Any) -> frozenset[str] | None:
        """Return the permissions that the value of that column means; None if they have no access (any more)."""


class RouteWithoutGuard(RuntimeError):
    """Strangers could call a route, and nobody decided that they may."""

    def __init__(self, escaped: Sequence[RouteAccess]) -> None:
        lines = "\n".join(f"  {' '.join(sorted(route.methods))} {route.path}".rstrip() for route in escaped)
        super().__init__(
            f"these routes let strangers in:\n{lines}\n"
            "Guard them with Depends(deny_by_default) on the application or their router, mark an operation "
            "@public, or name the path in Access(unguarded=[...]); a path that ends in /* means all below it."
        )


class Access(Component):
    """Asks the authenticators of the service in their order, and refuses to start when a route has no guard.

    Args:
        roles: what each role may do, such as `{"editor": ["items:read", "items:write"]}`.
        unguarded: paths that need no guard, as documented exceptions; `/static/*` means all below `/static`.
            The pages of the API's documentation are among them already.
        guards: dependencies of your own that refuse strangers.
    """

    def __init__(
        self,
        roles: Mapping[str, Iterable[str]] | None = None,
        *,
        unguarded: Sequence[str] = (),
        guards: Sequence[Callable[..., Any]] = (),
    ) -> None:
        self.roles = {role: frozenset(permissions) for role, permissions in (roles or {}).items()}
        self.unguarded = tuple(unguarded)
        self.guards = tuple(guards)

    def permissions_of_roles(self, roles: Iterable[str]) -> frozenset[str]:
        """Return what somebody with these roles may do. A role that nobody defined may do nothing."""
        return frozenset().union(*(self.roles.get(role, frozenset()) for role in roles))

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return who is asking, or None."""
        for authenticator in authenticators_of(connection.app):
            principal = await authenticator.authenticate(connection, session)
            if principal is not None:
                return principal
        return None

    def install(self, app: FastAPI) -> None:
        """Let OpenAPI say who may call what."""

        def describe(document: dict[str, Any]) -> None:
            schemes = dict(found.security_scheme for found in authenticators_of(app))
            describe_access(document, routes_of(app, self.guards), schemes)

        amend_openapi(app, describe)

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Refuse to start when strangers could call what nobody opened to them.

        Raises:
            RouteWithoutGuard: the routes, and what to do.
        """
        escaped = [
            route
            for route in routes_of(app, self.guards)
            if route.escapes and not self._is_exception(app, route.path)
        ]
        if escaped:
            raise RouteWithoutGuard(escaped)
        yield

    def _is_exception(self, app: FastAPI, path: str) -> bool:
        documentation = (app.openapi_url, app.docs_url, app.redoc_url, app.swagger_ui_oauth2_redirect_url)
        return path in documentation or any(_covers(pattern, path) for pattern in self.unguarded)


def authenticators_of(app: FastAPI) -> Sequence[Authenticator]:
    """Return who can tell callers, in the order of the components. `Access` itself asks them and is none."""
    return _found(app).authenticators


def permission_source_of(app: FastAPI) -> PermissionSource | None:
    """Return who knows what somebody may do at present, if there is such a component."""
    return _found(app).permission_source


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found among the components: a check of a protocol is too slow for every request."""

    components: tuple[Component, ...]
    authenticators: tuple[Authenticator, ...]
    permission_source: PermissionSource | None


def _found(app: FastAPI) -> _Found:
    components = components_of(app)
    found: _Found | None = getattr(app.state, "access_found", None)
    if found is None or found.components is not components:
        others = [component for component in components if not isinstance(component, Access)]
        found = _Found(
            components,
            tuple(component for component in others if isinstance(component, Authenticator)),
            next((component for component in others if isinstance(component, PermissionSource)), None),
        )
        app.state.access_found = found
    return found


def _covers(pattern: str, path: str) -> bool:
    if pattern.endswith("/*"):
        return path == pattern[:-2] or path.startswith(pattern[:-1])
    return path == pattern
