"""The client of the process for calls to other hosts."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ..service import installed
from .component import OutgoingHttp


async def get_outgoing_http(connection: HTTPConnection) -> OutgoingHttp:
    """Return the client of the process."""
    return installed(connection.app, OutgoingHttp)


OutgoingHttpDep = Annotated[OutgoingHttp, Depends(get_outgoing_http)]
