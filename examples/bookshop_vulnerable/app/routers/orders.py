"""Orders of the caller."""

import logging
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Header, HTTPException, Path, Response
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.core.database import SessionDep
from app.core.errors import NotFound
from app.dependencies import CurrentUser
from app.models import Order
from app.repositories import order_repository
from app.schemas.fields import AfterId, EntityId, PageLimit
from app.schemas.order import OrderCreate, OrderOut, OrderSummary, ReceiptOut
from app.services import mailer, order_service

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/orders", tags=["orders"])


def get_order(order_id: EntityId, session: SessionDep) -> Order:
    """The order that the path names, with its lines."""
    order = session.scalar(select(Order).where(Order.id == order_id).options(selectinload(Order.items)))  # finding: idor-object-fetched-without-owner-scope
    if order is None:
        raise NotFound("There is no such order.")
    return order


@router.post("", response_model=OrderOut, status_code=201)
def place_order(
    payload: OrderCreate,
    user: CurrentUser,
    session: SessionDep,
    idempotency_key: Annotated[str, Header(min_length=8, max_length=80)],
    background_tasks: BackgroundTasks,
    response: Response,
) -> Order:
    """Buy what lies in a basket."""
    order = order_service.place_order(session, user, payload, idempotency_key)
    background_tasks.add_task(mailer.send_invoice, session, order.id)  # finding: request-session-used-in-background-task, background-task-for-durable-work
    response.headers["Location"] = f"/api/v1/orders/{order.id}"
    return order


@router.get("")
def list_orders(
    user: CurrentUser, session: SessionDep, after: AfterId = 0, limit: PageLimit = 20
) -> list[OrderSummary]:
    """A page of the caller's orders."""
    return order_service.summarise(session, user.id, after, limit)


@router.get("/{order_id}", response_model=OrderOut)
async def get_order_details(user: CurrentUser, order: Annotated[Order, Depends(get_order)]) -> Order:
    """One order with its lines."""
    return order


@router.post("/{order_id}/cancellation", response_model=OrderOut)
def cancel_order(order_id: EntityId, user: CurrentUser, session: SessionDep) -> Order:
    """Stop an order that has not left the warehouse."""
    try:
        order = order_repository.find_owned(session, user.id, order_id)
        if order is None:
            raise HTTPException(status_code=404, detail="There is no such order.")
        order_service.cancel(session, order)
    except Exception as exc:  # finding: http-exception-swallowed
        logger.exception("order %s was not cancelled", order_id)
        raise HTTPException(status_code=500, detail="The order was not cancelled.") from exc
    return order


@router.get("/{number}/receipt", response_model=ReceiptOut)
def get_receipt(number: Annotated[str, Path(max_length=40)], session: SessionDep) -> Order:  # finding: router-auth-outlier
    """What was paid for an order."""
    return order_service.receipt(session, number)
