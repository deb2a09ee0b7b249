"""What may happen to orders."""

import hashlib
import logging
from decimal import Decimal
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.principal import Principal
from app.books.models import Book
from app.books.repository import BookRepository
from app.errors import Conflict, NotFound
from app.orders.models import TRANSITIONS, Order, OrderItem, OrderStatus
from app.orders.repository import OrderRepository
from app.orders.schemas import NewOrder, NewOrderItem, Shipment
from app.outbox.models import EventKind
from app.outbox.repository import OutboxRepository
from app.pagination import Slice, TimeCursor, cut

logger = logging.getLogger(__name__)


def place(order: Order) -> TimeCursor:
    """Return where an order stands in the list."""
    return TimeCursor(id=order.id, created_at=order.created_at)


def fingerprint_of(new: NewOrder) -> str:
    """Return the same text for the same purchase."""
    return hashlib.sha256(new.model_dump_json().encode()).hexdigest()


def take_from_stock(book: Book, quantity: int) -> OrderItem:
    """Return a line for copies of a locked book, which leave its stock, or raise Conflict."""
    if book.stock < quantity:
        raise Conflict(f"There are only {book.stock} copies of {book.title!r} left.")
    book.stock -= quantity
    return OrderItem(book_id=book.id, title=book.title, unit_price=book.price, quantity=quantity)


class OrderService:
    """Places, reads, cancels and ships orders."""

    def __init__(
        self, session: AsyncSession, orders: OrderRepository, books: BookRepository, outbox: OutboxRepository
    ) -> None:
        self._session = session
        self._orders = orders
        self._books = books
        self._outbox = outbox

    async def place_order(self, principal: Principal, new: NewOrder, idempotency_key: UUID) -> Order:
        """Place an order, once: sent again under the same key, it answers with the first one.

        Raises:
            NotFound: one of the books does not exist.
            Conflict: there are not enough copies, or the key belongs to another purchase.
        """
        fingerprint = fingerprint_of(new)
        repeated = await self._orders.find_repeated(principal.user_id, idempotency_key)
        if repeated is None:
            items = await self._take_items(new.items)
            order = Order(
                user_id=principal.user_id,
                idempotency_key=idempotency_key,
                fingerprint=fingerprint,
                total=sum((item.unit_price * item.quantity for item in items), Decimal(0)),
                items=items,
            )
            repeated = await self._save(order)
            if repeated is None:
                logger.info("order placed", extra={"order_id": order.id})
                return order
        if repeated.fingerprint != fingerprint:
            raise Conflict("This Idempotency-Key belongs to another purchase.")
        return repeated

    async def read_order(self, principal: Principal, order_id: UUID) -> Order:
        """Return the caller's order, or raise NotFound."""
        order = await self._orders.find_own(order_id, principal.user_id)
        if order is None:
            raise NotFound("You have no such order.")
        return order

    async def list_orders(self, principal: Principal, cursor: TimeCursor | None, limit: int) -> Slice[Order]:
        """Return a page of the caller's orders, newest first."""
        return cut(await self._orders.list_own_after(principal.user_id, cursor, limit + 1), limit, place)

    async def cancel_order(self, principal: Principal, order_id: UUID) -> Order:
        """Cancel the caller's order and put its books back; cancelled again, it stays cancelled.

        Raises:
            NotFound: the caller has no such order.
            Conflict: it is paid already.
        """
        order = await self._orders.lock_own(order_id, principal.user_id)
        if order is None:
            raise NotFound("You have no such order.")
        if order.status != OrderStatus.CANCELLED:
            self._advance(order, OrderStatus.CANCELLED)
            books = await self._books.lock([item.book_id for item in order.items])
            for item in order.items:
                books[item.book_id].stock += item.quantity
            await self._session.commit()
        return order

    async def list_all_orders(self, cursor: TimeCursor | None, limit: int) -> Slice[Order]:
        """Return a page of everybody's orders, newest first."""
        return cut(await self._orders.list_all_after(cursor, limit + 1), limit, place)

    async def ship_order(self, admin: Principal, order_id: UUID, shipment: Shipment) -> Order:
        """Mark a paid order as shipped.

        Raises:
            NotFound: there is no such order.
            Conflict: it is not paid, or it has changed since the admin looked.
        """
        order = await self._orders.lock_any(order_id)
        if order is None:
            raise NotFound("There is no such order.")
        if order.version != shipment.version:
            raise Conflict("The order has changed. Read it again.")
        self._advance(order, shipment.status)
        await self._session.commit()
        logger.info("order shipped", extra={"order_id": order_id, "admin_id": admin.user_id})
        return order

    def _advance(self, order: Order, status: OrderStatus) -> None:
        if status not in TRANSITIONS[OrderStatus(order.status)]:
            raise Conflict(f"A {order.status} order cannot become {status}.")
        order.status = status
        self._outbox.add(EventKind.ORDER_STATUS_CHANGED, {"order_id": str(order.id)})

    async def _take_items(self, wanted: list[NewOrderItem]) -> list[OrderItem]:
        books = await self._books.lock([item.book_id for item in wanted])
        if len(books) < len(wanted):
            raise NotFound("One of the books does not exist.")
        return [take_from_stock(books[item.book_id], item.quantity) for item in wanted]

    async def _save(self, order: Order) -> Order | None:
        """Commit a new order, or return the one that came first under its key."""
        user_id, idempotency_key = order.user_id, order.idempotency_key
        self._orders.add(order)
        try:
            await self._session.flush()
            self._outbox.add(EventKind.ORDER_PLACED, {"order_id": str(order.id)})
            await self._session.commit()
        except IntegrityError as error:
            await self._session.rollback()
            first = await self._orders.find_repeated(user_id, idempotency_key)
            if first is None:
                raise Conflict("The order contradicts existing data.") from error
            return first
        return None
