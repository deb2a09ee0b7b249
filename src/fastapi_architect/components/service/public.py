"""The mark of an operation that strangers may call."""

from collections.abc import Callable
from typing import Any, TypeVar

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_MARK = "__open_to_strangers__"


def public(endpoint: Endpoint) -> Endpoint:
    """Let strangers call this operation. It stands below the route's decorator."""
    setattr(endpoint, _MARK, True)
    return endpoint


def is_public(endpoint: object) -> bool:
    """Tell whether the operation is open to strangers."""
    return getattr(endpoint, _MARK, False) is True
