"""Tickets over HTTP, and the socket."""

import logging

from fastapi import APIRouter, Request, WebSocket, status
from redis.exceptions import RedisError

from ..access import CurrentPrincipal
from ..problem_details import Forbidden, NotAuthenticated, Unavailable, problems
from ..service import public
from .dependencies import AdmissionDep, WebSocketsDep, is_allowed
from .schemas import TicketOut
from .tickets import Admission

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/websockets", tags=["websockets"])


@router.post(
    "/tickets",
    summary="Get a ticket for a socket",
    status_code=status.HTTP_201_CREATED,
    responses=problems(NotAuthenticated, Forbidden, Unavailable),
)
async def sell_ticket(request: Request, principal: CurrentPrincipal, websockets: WebSocketsDep) -> TicketOut:
    """Return a ticket that opens one socket within seconds, from the website that asks for it."""
    origin = request.headers.get("origin")
    if not is_allowed(websockets, origin):
        raise Forbidden("This website may not open sockets.")
    known = await websockets.can_be_rechecked(request.app, principal)
    try:
        ticket = await websockets.tickets.sell(Admission.of(principal, origin, can_be_rechecked=known))
    except (RedisError, OSError) as error:
        logger.warning("a ticket cannot be sold: redis does not answer")
        raise Unavailable("Sockets cannot be opened at present.", retry_after=5) from error
    return TicketOut(ticket=ticket, expires_in=websockets.tickets.seconds)


@router.websocket("")
@public
async def open_socket(websocket: WebSocket, admission: AdmissionDep, websockets: WebSocketsDep) -> None:
    """Carry events to one client, until somebody hangs up. Its guard is the ticket."""
    await websockets.attend(websocket, admission)
