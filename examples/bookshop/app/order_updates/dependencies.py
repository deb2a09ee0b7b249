"""Who may open a websocket."""

import logging
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, WebSocket, WebSocketException, status
from redis.exceptions import RedisError

from app.dependencies import RedisDep, SettingsDep
from app.order_updates.service import OrderUpdateService
from app.order_updates.tickets import TicketOffice

logger = logging.getLogger(__name__)


async def get_ticket_office(redis: RedisDep) -> TicketOffice:
    """Return the office that sells and checks tickets."""
    return TicketOffice(redis)


TicketOfficeDep = Annotated[TicketOffice, Depends(get_ticket_office)]


async def get_ticket_holder(
    websocket: WebSocket,
    ticket: Annotated[str, Query(min_length=40, max_length=64)],
    office: TicketOfficeDep,
    settings: SettingsDep,
) -> UUID:
    """Return the user who opens the websocket, before it is accepted.

    Raises:
        WebSocketException: it comes from another website, or the ticket is not valid.
    """
    if websocket.headers.get("origin") not in settings.allowed_origins:
        logger.warning("websocket of a foreign origin refused")
        raise WebSocketException(status.WS_1008_POLICY_VIOLATION)
    try:
        user_id = await office.admit(ticket)
    except RedisError as error:
        logger.exception("websocket cannot be admitted")
        raise WebSocketException(status.WS_1013_TRY_AGAIN_LATER) from error
    if user_id is None:
        logger.warning("websocket without a valid ticket refused")
        raise WebSocketException(status.WS_1008_POLICY_VIOLATION)
    return user_id


async def get_order_update_service(redis: RedisDep) -> OrderUpdateService:
    """Return the service that forwards updates."""
    return OrderUpdateService(redis)


TicketHolder = Annotated[UUID, Depends(get_ticket_holder)]
OrderUpdateServiceDep = Annotated[OrderUpdateService, Depends(get_order_update_service)]
