"""Who is asking, and may they?"""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ..database import SessionDep
from ..problem_details import Forbidden, NotAuthenticated
from ..service import Principal, installed, principal_of, remember_principal
from .component import Access
from .public import is_public


async def current_principal(connection: HTTPConnection, session: SessionDep) -> Principal:
    """Return who is asking.

    Raises:
        NotAuthenticated: nobody proved it.
    """
    known = principal_of(connection)
    if known is not None:
        return known
    principal = await installed(connection.app, Access).authenticate(connection, session)
    if principal is None:
        raise NotAuthenticated
    remember_principal(connection, principal)
    return principal


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


async def deny_by_default(connection: HTTPConnection, session: SessionDep) -> None:
    """Refuse strangers, except where an operation is marked `@public`: a dependency of the whole application."""
    if not is_public(connection.scope.get("endpoint")):
        await current_principal(connection, session)


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
