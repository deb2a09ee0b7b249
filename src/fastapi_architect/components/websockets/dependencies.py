"""Who may open a socket."""

import logging
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Query, WebSocket, WebSocketException, status
from fastapi.requests import HTTPConnection
from redis.exceptions import RedisError

from ..access import Access, Guard, guard
from ..database import Database
from ..problem_details import NotAuthenticated
from ..service import installed
from .component import WebSockets
from .tickets import Admission

logger = logging.getLogger(__name__)


async def get_websockets(connection: HTTPConnection) -> WebSockets:
    """Return the component."""
    return installed(connection.app, WebSockets)


WebSocketsDep = Annotated[WebSockets, Depends(get_websockets)]


def is_allowed(websockets: WebSockets, origin: str | None) -> bool:
    """Tell whether a page of this origin, or a program without one, may open sockets."""
    if origin is None:
        return websockets.settings.allow_without_origin
    return origin in websockets.settings.allowed_origins


@guard(Guard.STRANGERS)
async def get_admission(
    websocket: WebSocket,
    websockets: WebSocketsDep,
    ticket: Annotated[str | None, Query(min_length=20, max_length=100)] = None,
) -> Admission:
    """Return whom the ticket admits, before the socket is accepted; or who a program without a ticket proves to be.

    A program can send its credentials with the socket, which a page cannot, and needs no Redis for it.

    Raises:
        WebSocketException: it comes from another website, or the ticket or the credentials are not valid.
    """
    origin = websocket.headers.get("origin")
    if not is_allowed(websockets, origin):
        logger.warning("a socket of a foreign origin was refused")
        raise WebSocketException(status.WS_1008_POLICY_VIOLATION)
    if ticket is None:
        return await _admission_of_program(websocket, websockets, origin)
    try:
        admission = await websockets.tickets.admit(ticket)
    except (RedisError, OSError) as error:
        logger.warning("a socket cannot be admitted: redis does not answer")
        raise WebSocketException(status.WS_1013_TRY_AGAIN_LATER) from error
    if admission is None or admission.origin != origin:
        logger.warning("a socket without a valid ticket was refused")
        raise WebSocketException(status.WS_1008_POLICY_VIOLATION)
    return admission


async def _admission_of_program(
    websocket: WebSocket, websockets: WebSockets, origin: str | None
) -> Admission:
    # A browser names an Origin with every socket, and sends cookies along with other people's: those need a ticket.
    principal = None
    if origin is None:
        async with installed(websocket.app, Database).sessions() as session:
            with suppress(NotAuthenticated):
                principal = await installed(websocket.app, Access).authenticate(websocket, session)
    if principal is None:
        logger.warning("a socket without a ticket or credentials was refused")
        raise WebSocketException(status.WS_1008_POLICY_VIOLATION)
    known = await websockets.can_be_rechecked(websocket.app, principal)
    return Admission.of(principal, None, can_be_rechecked=known)


AdmissionDep = Annotated[Admission, Depends(get_admission)]
