"""Who may open a socket."""

import logging
from typing import Annotated

from fastapi import Depends, Query, WebSocket, WebSocketException, status
from fastapi.requests import HTTPConnection
from redis.exceptions import RedisError

from ..access import Guard, guard
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
    ticket: Annotated[str, Query(min_length=20, max_length=100)],
) -> Admission:
    """Return whom the ticket admits, before the socket is accepted.

    Raises:
        WebSocketException: it comes from another website, or the ticket is not valid.
    """
    origin = websocket.headers.get("origin")
    if not is_allowed(websockets, origin):
        logger.warning("a socket of a foreign origin was refused")
        raise WebSocketException(status.WS_1008_POLICY_VIOLATION)
    try:
        admission = await websockets.tickets.admit(ticket)
    except (RedisError, OSError) as error:
        logger.warning("a socket cannot be admitted: redis does not answer")
        raise WebSocketException(status.WS_1013_TRY_AGAIN_LATER) from error
    if admission is None or admission.origin != origin:
        logger.warning("a socket without a valid ticket was refused")
        raise WebSocketException(status.WS_1008_POLICY_VIOLATION)
    return admission


AdmissionDep = Annotated[Admission, Depends(get_admission)]
