"""Orders over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response, status

from app.auth.dependencies import AdminUser, CurrentUser
from app.orders.dependencies import OrderServiceDep
from app.orders.schemas import NewOrder, OrderDetails, OrderSummary, Shipment
from app.pagination import Page, PageQuery, TimeCursor
from app.problems import CONFLICT, NOT_FOUND, TOO_MANY_REQUESTS, UNAVAILABLE
from app.throttles import throttle_purchases

members = APIRouter(prefix="/orders", tags=["orders"])
admins = APIRouter(prefix="/orders", tags=["orders"])


@members.post(
    "",
    summary="Place an order",
    status_code=status.HTTP_201_CREATED,
    dependencies=[Depends(throttle_purchases)],
    responses={404: NOT_FOUND, 409: CONFLICT, 429: TOO_MANY_REQUESTS, 503: UNAVAILABLE},
)
async def place_order(
    *,
    new: NewOrder,
    idempotency_key: Annotated[UUID, Header(description="Made by the client, once for each purchase.")],
    principal: CurrentUser,
    service: OrderServiceDep,
    request: Request,
    response: Response,
) -> OrderDetails:
    """Buy books. Sent again under the same Idempotency-Key, it answers with the same order."""
    order = await service.place_order(principal, new, idempotency_key)
    response.headers["Location"] = request.app.url_path_for("read_order", order_id=str(order.id))
    return OrderDetails.model_validate(order)


@members.get("", summary="List the own orders")
async def list_orders(
    query: Annotated[PageQuery, Query()], principal: CurrentUser, service: OrderServiceDep
) -> Page[OrderSummary]:
    """Return a page of the caller's orders, newest first."""
    cursor = TimeCursor.decode(query.cursor) if query.cursor is not None else None
    page = await service.list_orders(principal, cursor, query.limit)
    orders = [OrderSummary.model_validate(order) for order in page.rows]
    return Page(items=orders, next_cursor=page.next_cursor)


@members.get("/{order_id}", summary="Read an own order", responses={404: NOT_FOUND})
async def read_order(order_id: UUID, principal: CurrentUser, service: OrderServiceDep) -> OrderDetails:
    """Return an order of the caller's with its items."""
    return OrderDetails.model_validate(await service.read_order(principal, order_id))


@members.put(
    "/{order_id}/cancellation", summary="Cancel an own order", responses={404: NOT_FOUND, 409: CONFLICT}
)
async def cancel_order(order_id: UUID, principal: CurrentUser, service: OrderServiceDep) -> OrderDetails:
    """Cancel an order that is not paid yet."""
    return OrderDetails.model_validate(await service.cancel_order(principal, order_id))


@admins.get("", summary="List all orders")
async def list_all_orders(
    query: Annotated[PageQuery, Query()], service: OrderServiceDep
) -> Page[OrderSummary]:
    """Return a page of everybody's orders, newest first."""
    cursor = TimeCursor.decode(query.cursor) if query.cursor is not None else None
    page = await service.list_all_orders(cursor, query.limit)
    orders = [OrderSummary.model_validate(order) for order in page.rows]
    return Page(items=orders, next_cursor=page.next_cursor)


@admins.patch("/{order_id}", summary="Ship an order", responses={404: NOT_FOUND, 409: CONFLICT})
async def ship_order(
    order_id: UUID, shipment: Shipment, admin: AdminUser, service: OrderServiceDep
) -> OrderDetails:
    """Mark a paid order as shipped."""
    return OrderDetails.model_validate(await service.ship_order(admin, order_id, shipment))
