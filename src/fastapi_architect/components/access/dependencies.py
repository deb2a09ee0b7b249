"""Who is asking, and may they?"""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import Database, SessionDep
from ..problem_details import Forbidden, NotAuthenticated
from ..service import Principal, installed, is_public, principal_of, remember_principal
from .component import Access
from .guards import Guard, guard


@guard(Guard.NOBODY)
async def optional_principal(connection: HTTPConnection, session: SessionDep) -> Principal | None:
    """Return who is asking, or None for a stranger.

    Raises:
        NotAuthenticated: there are credentials, and they are not valid.
    """
    known = principal_of(connection)
    if known is not None:
        return known
    principal = await _authenticate(connection, session)
    if principal is not None:
        remember_principal(connection, principal)
    return principal


OptionalPrincipal = Annotated[Principal | None, Depends(optional_principal)]


@guard(Guard.STRANGERS)
async def current_principal(connection: HTTPConnection, session: SessionDep) -> Principal:
    """Return who is asking.

    Raises:
        NotAuthenticated: nobody proved it.
    """
    principal = await optional_principal(connection, session)
    if principal is None:
        raise NotAuthenticated
    return principal


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


@guard(Guard.STRANGERS_BY_DEFAULT)
async def deny_by_default(connection: HTTPConnection, session: SessionDep) -> None:
    """Refuse strangers, except where an operation is marked `@public`: a dependency of the whole application."""
    if not is_public(connection.scope.get("endpoint")):
        await current_principal(connection, session)


@guard(Guard.STRANGERS)
class require:  # noqa: N801 - reads as a word: Depends(require("items:write"))
    """A dependency that refuses who was not granted every one of the permissions."""

    def __init__(self, *permissions: str) -> None:
        self.permissions = permissions

    async def __call__(self, principal: CurrentPrincipal) -> Principal:
        """Return the caller.

        Raises:
            Forbidden: a permission is missing.
        """
        if not all(principal.may(permission) for permission in self.permissions):
            raise Forbidden("You may not do this.")
        return principal


async def _authenticate(connection: HTTPConnection, session: AsyncSession) -> Principal | None:
    access = installed(connection.app, Access)
    if connection.scope["type"] == "http":
        return await access.authenticate(connection, session)
    # A WebSocket keeps its session for hours: with this one it would hold a connection of the pool as long.
    async with installed(connection.app, Database).sessions() as short_session:
        return await access.authenticate(connection, short_session)
