"""Queries for orders. Customers reach only their own: the owner stands in each `WHERE`."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from app.orders.models import Order
from app.pagination import TimeCursor


class OrderRepository:
    """Finds and adds orders."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, order: Order) -> None:
        """Add an order with its items."""
        self._session.add(order)

    async def find_own(self, order_id: UUID, user_id: UUID) -> Order | None:
        """Return an order with its items if it is this user's."""
        statement = (
            select(Order)
            .where(Order.id == order_id, Order.user_id == user_id)
            .options(selectinload(Order.items))
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def lock_own(self, order_id: UUID, user_id: UUID) -> Order | None:
        """Return an order with its items, locked until the commit, if it is this user's."""
        statement = (
            select(Order)
            .where(Order.id == order_id, Order.user_id == user_id)
            .options(selectinload(Order.items))
            .with_for_update()
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def find_repeated(self, user_id: UUID, idempotency_key: UUID) -> Order | None:
        """Return the order with its items that this user has placed under this key."""
        statement = (
            select(Order)
            .where(Order.user_id == user_id, Order.idempotency_key == idempotency_key)
            .options(selectinload(Order.items))
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def list_own_after(self, user_id: UUID, cursor: TimeCursor | None, limit: int) -> Sequence[Order]:
        """Return the next orders of a user, newest first, without their items."""
        statement = (
            select(Order)
            .where(Order.user_id == user_id)
            .order_by(Order.created_at.desc(), Order.id.desc())
            .limit(limit)
        )
        if cursor is not None:
            place = tuple_(Order.created_at, Order.id)
            statement = statement.where(place < (cursor.created_at, cursor.id))
        return (await self._session.execute(statement)).scalars().all()

    async def lock_any(self, order_id: UUID) -> Order | None:
        """Return anybody's order with its items, locked until the commit: for admins."""
        statement = (
            select(Order).where(Order.id == order_id).options(selectinload(Order.items)).with_for_update()
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def lock_paid_for(self, order_id: UUID) -> Order | None:
        """Return anybody's order without its items, locked until the commit: for the payment provider."""
        statement = select(Order).where(Order.id == order_id).with_for_update()
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def list_all_after(self, cursor: TimeCursor | None, limit: int) -> Sequence[Order]:
        """Return everybody's next orders, newest first, without their items: for admins."""
        statement = select(Order).order_by(Order.created_at.desc(), Order.id.desc()).limit(limit)
        if cursor is not None:
            place = tuple_(Order.created_at, Order.id)
            statement = statement.where(place < (cursor.created_at, cursor.id))
        return (await self._session.execute(statement)).scalars().all()
