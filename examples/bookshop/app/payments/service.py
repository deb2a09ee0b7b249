"""What follows from a payment."""

import logging

from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import NotFound
from app.orders.models import OrderStatus
from app.orders.repository import OrderRepository
from app.outbox.models import EventKind
from app.outbox.repository import OutboxRepository
from app.payments.repository import PaymentEventRepository
from app.payments.schemas import PaymentKind, PaymentNotice

logger = logging.getLogger(__name__)


class PaymentService:
    """Believes the provider, once for each message."""

    def __init__(
        self,
        session: AsyncSession,
        events: PaymentEventRepository,
        orders: OrderRepository,
        outbox: OutboxRepository,
    ) -> None:
        self._session = session
        self._events = events
        self._orders = orders
        self._outbox = outbox

    async def receive(self, notice: PaymentNotice) -> None:
        """Record a message, and mark its order as paid if it says so.

        A payment that fits no pending order is recorded and logged as an error: somebody has to give money
        back. The provider must not send it again, therefore it is no error towards the provider.

        Raises:
            NotFound: the message is about an order that the shop does not have.
        """
        order = await self._orders.lock_paid_for(notice.order_id)
        if order is None:
            raise NotFound("There is no such order.")
        is_new = await self._events.add_unless_known(notice.event_id, order.id, notice.kind)
        if is_new and notice.kind is PaymentKind.SUCCEEDED:
            if order.status == OrderStatus.PENDING and notice.amount == order.total:
                order.status = OrderStatus.PAID
                self._outbox.add(EventKind.ORDER_STATUS_CHANGED, {"order_id": str(order.id)})
            else:
                logger.error("payment fits no pending order", extra={"order_id": order.id})
        await self._session.commit()
