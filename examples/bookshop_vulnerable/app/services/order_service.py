"""Orders: placing, cancelling and listing them."""

import uuid
from decimal import Decimal

from sqlalchemy.orm import Session

from app.core.errors import Conflict, NotFound
from app.models import Book, Order, OrderItem, PaymentEvent, User
from app.models.base import utc_now
from app.repositories import order_repository
from app.schemas.order import OrderCreate, OrderSummary, PaymentNotice
from app.tasks import send_order_confirmation


def place_order(session: Session, user: User, payload: OrderCreate, idempotency_key: str) -> Order:
    """Turn a basket into an order and take the copies out of the stock.

    Raises:
        NotFound: if a book does not exist.
        Conflict: if there are not enough copies.
    """
    order = Order(user_id=user.id, number=uuid.uuid4().hex, idempotency_key=idempotency_key, total=Decimal(0))
    for line in payload.lines:
        book = session.get(Book, line.book_id)  # finding: query-inside-loop
        if book is None:
            raise NotFound("There is no such book.")
        if book.stock < line.quantity:
            raise Conflict("There are not enough copies.")
        book.stock -= line.quantity  # finding: lost-update-read-modify-write
        unit_price = Decimal(str(book.price))
        order.items.append(OrderItem(book_id=book.id, quantity=line.quantity, unit_price=unit_price))
        order.total += unit_price * line.quantity
    session.add(order)
    session.flush()
    send_order_confirmation.delay(order.id)  # finding: task-enqueued-before-commit, external-io-inside-transaction
    session.commit()
    return order


def summarise(session: Session, user_id: int, after: int, limit: int) -> list[OrderSummary]:
    """A page of a reader's orders, with the number of copies in each."""
    summaries = []
    for order in order_repository.list_of_user(session, user_id, after, limit):
        copies = sum(item.quantity for item in order.items)  # finding: n-plus-one-lazy-attribute-in-loop
        summaries.append(OrderSummary(id=order.id, number=order.number, status=order.status, copies=copies))
    return summaries


def cancel(session: Session, order: Order) -> None:
    """Stop an order that has not left the warehouse.

    Raises:
        Conflict: if it has.
    """
    if order_repository.cancel_placed(session, order.id, utc_now()) is None:
        raise Conflict("The order has already left the warehouse.")
    session.commit()


def receipt(session: Session, number: str) -> Order:
    """The order that a receipt is about.

    Raises:
        NotFound: if there is no such order.
    """
    order = order_repository.find_by_number(session, number)
    if order is None:
        raise NotFound("There is no such order.")
    return order


def find_parcel(session: Session, tracking_number: str) -> Order | None:
    """The order in a parcel, if we sent it."""
    return order_repository.find_by_tracking_number(session, tracking_number)


def record_payment(session: Session, notice: PaymentNotice) -> int:
    """Mark an order as paid and say which; the provider's id makes sure that it counts once.

    Raises:
        NotFound: if there is no such order.
    """
    order = receipt(session, notice.order_number)
    session.add(PaymentEvent(order_id=order.id, provider_event_id=notice.event_id, amount=notice.amount))
    order.status = "paid"
    session.commit()
    return order.id
