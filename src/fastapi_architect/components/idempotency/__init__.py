"""Requests that have their effect once, however often they are sent."""

from .component import Idempotency
from .dependencies import IdempotentRequestDep, RequiredIdempotentRequestDep
from .models import IdempotentAnswer
from .requests import IdempotentRequest, KeyMalformed, KeyMissing, KeyReused, RequestInFlight
from .service import begin, perform_once, record
from .settings import IdempotencySettings

__all__ = [
    "Idempotency",
    "IdempotencySettings",
    "IdempotentAnswer",
    "IdempotentRequest",
    "IdempotentRequestDep",
    "KeyMalformed",
    "KeyMissing",
    "KeyReused",
    "RequestInFlight",
    "RequiredIdempotentRequestDep",
    "begin",
    "perform_once",
    "record",
]
