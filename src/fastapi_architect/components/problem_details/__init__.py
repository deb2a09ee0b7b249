"""Every refusal as a problem document (RFC 9457): the same shape, no leak, and an identifier to ask about."""

from .component import ProblemDetails, ProblemsOfComponents
from .documentation import problems
from .errors import (
    BadRequest,
    Conflict,
    Forbidden,
    Gone,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    PreconditionFailed,
    ServiceError,
    TooLarge,
    TooManyRequests,
    Unavailable,
    UnsupportedMedia,
)
from .handlers import Refuser
from .problem import MEDIA_TYPE, InvalidField, Problem, ProblemResponse

__all__ = [
    "MEDIA_TYPE",
    "BadRequest",
    "Conflict",
    "Forbidden",
    "Gone",
    "InvalidField",
    "InvalidInput",
    "NotAuthenticated",
    "NotFound",
    "PreconditionFailed",
    "Problem",
    "ProblemDetails",
    "ProblemResponse",
    "ProblemsOfComponents",
    "Refuser",
    "ServiceError",
    "TooLarge",
    "TooManyRequests",
    "Unavailable",
    "UnsupportedMedia",
    "problems",
]
