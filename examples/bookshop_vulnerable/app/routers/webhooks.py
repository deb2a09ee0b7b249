"""Messages of other services."""

from fastapi import APIRouter

from app.core.database import SessionDep
from app.schemas.order import PaymentAck, PaymentNotice
from app.services import order_service
from app.tasks import notify_warehouse

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.post("/payments", status_code=202)
def receive_payment(notice: PaymentNotice, session: SessionDep) -> PaymentAck:  # finding: webhook-signature-not-verified
    """The payment provider says that an order was paid."""
    order_id = order_service.record_payment(session, notice)
    notify_warehouse.delay(order_id)
    return PaymentAck(order_number=notice.order_number)
