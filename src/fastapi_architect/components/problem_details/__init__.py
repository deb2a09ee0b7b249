"""Every refusal as a problem document (RFC 9457): the same shape, no leak, and an identifier to ask about."""

from .component import ProblemDetails
from .errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    PreconditionFailed,
    ServiceError,
    TooManyRequests,
    Unavailable,
)

__all__ = [
    "Conflict",
    "Forbidden",
    "InvalidInput",
    "NotAuthenticated",
    "NotFound",
    "PreconditionFailed",
    "ProblemDetails",
    "ServiceError",
    "TooManyRequests",
    "Unavailable",
]
