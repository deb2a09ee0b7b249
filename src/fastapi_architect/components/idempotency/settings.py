"""IDEMPOTENCY_*: how long an answer is kept for a repeated request."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ..service import ComponentSettings


class IdempotencySettings(ComponentSettings):
    """IDEMPOTENCY_*: how long an answer is kept for a repeated request."""

    model_config = SettingsConfigDict(env_prefix="IDEMPOTENCY_")

    #: Hours; afterwards the same key is a new request. Clients give up repeating long before.
    keep_hours: Annotated[float, Field(gt=0, le=24 * 365)] = 24.0
