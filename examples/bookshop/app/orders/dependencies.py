"""How an operation asks for orders."""

from typing import Annotated

from fastapi import Depends

from app.books.repository import BookRepository
from app.dependencies import SessionDep
from app.orders.repository import OrderRepository
from app.orders.service import OrderService
from app.outbox.repository import OutboxRepository


async def get_order_service(session: SessionDep) -> OrderService:
    """Return the service on the session of this request."""
    return OrderService(session, OrderRepository(session), BookRepository(session), OutboxRepository(session))


OrderServiceDep = Annotated[OrderService, Depends(get_order_service)]
