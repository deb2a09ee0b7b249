"""The webhook of the payment provider."""

from fastapi import APIRouter, Depends, status

from app.payments.dependencies import PaymentNoticeDep, PaymentServiceDep
from app.payments.schemas import PaymentNotice
from app.problems import CONFLICT, NOT_FOUND, TOO_MANY_REQUESTS, UNAUTHENTICATED, UNAVAILABLE
from app.throttles import throttle_webhooks

webhooks = APIRouter(prefix="/webhooks", tags=["payments"])


@webhooks.post(
    "/payments",
    summary="Receive a payment notice",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[Depends(throttle_webhooks)],
    responses={
        401: UNAUTHENTICATED,
        404: NOT_FOUND,
        409: CONFLICT,
        429: TOO_MANY_REQUESTS,
        503: UNAVAILABLE,
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": PaymentNotice.model_json_schema()}},
        }
    },
)
async def receive_payment(notice: PaymentNoticeDep, service: PaymentServiceDep) -> None:
    """Record what has happened to a payment. The provider signs the body; a repeated message counts once."""
    await service.receive(notice)
