"""What the payment provider sends."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class PaymentKind(StrEnum):
    """What has happened to a payment."""

    SUCCEEDED = "payment.succeeded"
    FAILED = "payment.failed"


class PaymentNotice(BaseModel):
    """A message of the provider. It may grow fields that the shop does not know yet; they are dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    event_id: Annotated[str, Field(min_length=1, max_length=100, pattern="^[A-Za-z0-9_-]+$")]
    kind: PaymentKind
    order_id: UUID
    amount: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
