"""The websocket of order updates."""

import logging
from collections.abc import AsyncIterator

import anyio
from fastapi import APIRouter, WebSocket, WebSocketDisconnect, status
from pydantic import ValidationError
from redis.exceptions import RedisError

from app.auth.dependencies import CurrentUser
from app.errors import Unavailable
from app.order_updates.dependencies import OrderUpdateServiceDep, TicketHolder, TicketOfficeDep
from app.order_updates.schemas import ClientMessage, OrderUpdate, Ticket
from app.order_updates.tickets import TICKET_SECONDS
from app.problems import UNAVAILABLE

logger = logging.getLogger(__name__)

#: A socket is renewed with a fresh ticket, so that a locked account does not listen for ever.
MAX_SECONDS = 15 * 60
MAX_MESSAGES = 120
SEND_SECONDS = 5

members = APIRouter(prefix="/order-updates", tags=["order updates"])
#: Its own guard is the ticket: a browser cannot send an access token with a websocket.
sockets = APIRouter(prefix="/order-updates", tags=["order updates"])


@members.post("/tickets", summary="Get a ticket for the websocket", responses={503: UNAVAILABLE})
async def sell_ticket(principal: CurrentUser, office: TicketOfficeDep) -> Ticket:
    """Return a ticket that opens one websocket within half a minute."""
    try:
        ticket = await office.sell(principal.user_id)
    except RedisError as error:
        logger.exception("ticket cannot be sold")
        raise Unavailable("Please try again in a moment.", retry_after=5) from error
    return Ticket(ticket=ticket, expires_in=TICKET_SECONDS)


@sockets.websocket("")
async def stream_order_updates(
    websocket: WebSocket, user_id: TicketHolder, service: OrderUpdateServiceDep
) -> None:
    """Send each change of one of the user's orders, until somebody hangs up."""
    await websocket.accept()
    try:
        with anyio.fail_after(MAX_SECONDS):
            async with service.subscribe(user_id) as updates, anyio.create_task_group() as tasks:
                tasks.start_soon(forward, websocket, updates)
                tasks.start_soon(listen, websocket)
    except* WebSocketDisconnect:
        logger.debug("websocket closed by its client", exc_info=True)
    except* TimeoutError:
        logger.info("websocket closed: its time is over", exc_info=True)
        await websocket.close(status.WS_1001_GOING_AWAY)
    except* (ValidationError, KeyError):
        logger.warning("websocket closed: message not understood", exc_info=True)
        await websocket.close(status.WS_1008_POLICY_VIOLATION)
    except* RedisError:
        logger.exception("websocket closed: updates not available")
        await websocket.close(status.WS_1013_TRY_AGAIN_LATER)


async def forward(websocket: WebSocket, updates: AsyncIterator[OrderUpdate]) -> None:
    """Send the updates; a client that does not take them in time is let go."""
    async for update in updates:
        with anyio.fail_after(SEND_SECONDS):
            await websocket.send_text(update.model_dump_json())


async def listen(websocket: WebSocket) -> None:
    """Notice when the client hangs up, and let it say nothing but that it is there.

    Raises:
        WebSocketDisconnect: the client has hung up, or has said enough.
        pydantic.ValidationError, KeyError: it said something else.
    """
    for _ in range(MAX_MESSAGES):
        ClientMessage.model_validate_json(await websocket.receive_text())
    await websocket.close(status.WS_1008_POLICY_VIOLATION)
    raise WebSocketDisconnect(status.WS_1008_POLICY_VIOLATION)
