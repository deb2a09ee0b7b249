"""The authenticators of a service, and the check that no route escaped them."""

from typing import Any, Protocol, runtime_checkable

from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession

from ..service import Component, Principal, components_of


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


class Access(Component):
    """Asks the authenticators of the service in their order."""

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return who is asking, or None."""
        for component in components_of(connection.app):
            if isinstance(component, Authenticator):
                principal = await component.authenticate(connection, session)
                if principal is not None:
                    return principal
        return None

    def install(self, app: FastAPI) -> None:
        """Nothing yet."""
