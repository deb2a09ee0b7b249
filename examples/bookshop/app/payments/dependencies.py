"""Who may tell the shop about payments."""

import logging
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.dependencies import SessionDep, SettingsDep
from app.errors import InvalidCredentials
from app.orders.repository import OrderRepository
from app.outbox.repository import OutboxRepository
from app.payments.repository import PaymentEventRepository
from app.payments.schemas import PaymentNotice
from app.payments.service import PaymentService
from app.payments.signatures import verify_signature

logger = logging.getLogger(__name__)


async def get_payment_notice(
    request: Request,
    payment_signature: Annotated[str, Header(max_length=200)],
    settings: SettingsDep,
) -> PaymentNotice:
    """Return the message of the provider, once its signature over the raw body is verified.

    Raises:
        InvalidCredentials: the signature is not the provider's.
        RequestValidationError: it is, and the message still makes no sense.
    """
    body = await request.body()
    try:
        verify_signature(settings.payment_webhook_key.get_secret_value(), payment_signature, body)
    except InvalidCredentials:
        logger.warning("webhook refused", exc_info=True)
        raise
    try:
        return PaymentNotice.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False)) from error


PaymentNoticeDep = Annotated[PaymentNotice, Depends(get_payment_notice)]


async def get_payment_service(session: SessionDep) -> PaymentService:
    """Return the service on the session of this request."""
    return PaymentService(
        session, PaymentEventRepository(session), OrderRepository(session), OutboxRepository(session)
    )


PaymentServiceDep = Annotated[PaymentService, Depends(get_payment_service)]
