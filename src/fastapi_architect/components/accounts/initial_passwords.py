"""Passwords that were made for somebody: good for some days, and for nothing but choosing one of their own."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from fastapi.requests import HTTPConnection

from ..problem_details.errors import Forbidden

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

#: Whoever does not come in this time needs a new one: what was printed lies in logs and histories.
LIFETIME = timedelta(days=3)
_MARK = "__takes_initial_password__"


class PasswordMustBeChanged(Forbidden):
    """The password was made for the account: until its owner has chosen another, it is good for nothing else."""

    type = "urn:problem-type:password-must-be-changed"
    title = "The password must be changed"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"This password was made for you. Choose your own first: PUT {path} with present_password and password; "
            "then sign in again.",
            extensions={"method": "PUT", "path": path},
        )


def takes_initial_password(endpoint: Endpoint) -> Endpoint:
    """Let this operation be called by whoever signed in with a password that was made for them. It stands below its route."""
    setattr(endpoint, _MARK, True)
    return endpoint


def refuse_initial_password(connection: HTTPConnection, path: str) -> None:
    """Refuse a caller who signed in with a password that was made for them, unless they are about to change it.

    Args:
        connection: of the caller.
        path: where it is changed.

    Raises:
        PasswordMustBeChanged: they call something else.
    """
    if getattr(connection.scope.get("endpoint"), _MARK, False) is not True:
        raise PasswordMustBeChanged(path)


def is_over(until: datetime | None, now: datetime) -> bool:
    """Tell whether a password was made for somebody who did not come in time; None: it is their own."""
    return until is not None and until <= now
