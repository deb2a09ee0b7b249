"""The session of a request."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession

from ..service import installed
from .component import Database


async def get_session(connection: HTTPConnection) -> AsyncIterator[AsyncSession]:
    """Yield the one session of a request; it connects when it is first used.

    Closing it rolls back what no service committed. A service commits, before it answers.
    """
    async with installed(connection.app, Database).sessions() as session:
        yield session


#: Of scope "function": closed before the answer leaves, so that no slow reader holds a connection.
SessionDep = Annotated[AsyncSession, Depends(get_session, scope="function")]
